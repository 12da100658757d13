/* The parts of law: regime.c reads a regime, situation.c a situation, explain.c writes answers;
 * builtin.c has the regimes of this release, written by generate.c when it is built. */
#ifndef OBHUT_LAW_PRIV_H
#define OBHUT_LAW_PRIV_H

#include <obhut/crypto.h>
#include <obhut/law.h>

#endif
