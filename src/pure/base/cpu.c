/* Chooses the instruction set. */
#include <obhut/base.h>

ob_isa ob_isa_best(void)
{
#if OB_HAVE_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512bitalg"))
        return OB_ISA_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("popcnt"))
        return OB_ISA_AVX2;
#elif defined(__wasm_simd128__)
    return OB_ISA_SIMD128;
#endif
    return OB_ISA_PORTABLE;
}

ob_isa ob_isa_resolve(ob_isa wanted)
{
    ob_isa best = ob_isa_best();
    return wanted == OB_ISA_AUTO || wanted > best ? best : wanted;
}

const char *ob_isa_name(ob_isa isa)
{
    static const char *const names[] = {"auto", "portable", "avx2", "avx512", "simd128"};
    return names[isa];
}
