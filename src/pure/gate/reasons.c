/* What reasons say to people: plain, calm, without euphemism; and which of them are only of now. */
#include "gate_priv.h"

static const char *const texts[OB_REASON_COUNT][OB_LANGUAGES] = {
    [OB_ALLOWED] = {"This may be looked at.", "Dies darf angesehen werden."},
    [OB_INPUT_INCOMPLETE] =
        {"A fact that is needed is missing, unknown or unreadable. Without it nothing is looked "
         "at.",
         "Eine nötige Angabe fehlt, ist unbekannt oder unlesbar. Ohne sie wird nichts angesehen."},
    [OB_CLOCK] =
        {"The clock of this machine cannot be relied on. Until it can, nothing is looked at.",
         "Auf die Uhr dieser Maschine ist kein Verlass. Bis es wieder so ist, wird nichts "
         "angesehen."},
    [OB_NO_AUDIT] =
        {"It could not be recorded that somebody looks. What cannot be recorded does not happen.",
         "Es könnte nicht festgehalten werden, dass jemand nachsieht. Was nicht festgehalten "
         "werden kann, geschieht nicht."},
    [OB_PURPOSE_LIMIT] =
        {"Obhut looks for child sexual abuse and for nothing else.",
         "Obhut sucht nach sexueller Gewalt gegen Kinder und nach nichts anderem."},
    [OB_FLOOR_MEDIA] =
        {"Sound, live transmissions and metadata are not analysed, on no basis.",
         "Ton, Liveübertragungen und Metadaten werden nicht ausgewertet, auf keiner Grundlage."},
    [OB_FLOOR_DEVICE] =
        {"On a person's own device only that person decides whether anything is looked at.",
         "Auf dem eigenen Gerät entscheidet nur die Person selbst, ob etwas angesehen wird."},
    [OB_FLOOR_E2EE_SERVER] =
        {"Content that is, was or will be end-to-end encrypted is not looked at on a server.",
         "Inhalte, die Ende-zu-Ende-verschlüsselt sind, waren oder werden, werden auf keinem "
         "Server angesehen."},
    [OB_FLOOR_UNTARGETED] =
        {"An order must name the accounts that it is about. One for everybody is not carried out.",
         "Eine Anordnung muss die Konten nennen, um die es geht. Eine für alle wird nicht "
         "ausgeführt."},
    [OB_FLOOR_NOT_JUDICIAL] = {"Only a court's order is carried out.",
                               "Nur die Anordnung eines Gerichts wird ausgeführt."},
    [OB_FLOOR_SUSPICIONLESS] = {"Private conversations are not searched without a cause against "
                                "that very account, confirmed by a person.",
                                "Private Unterhaltungen werden nicht durchsucht ohne einen Anlass "
                                "gegen genau dieses Konto, den ein Mensch bestätigt hat."},
    [OB_FLOOR_KNOWN_ONLY] = {"A cause allows looking for known material only, not for new material "
                             "and not into what is written.",
                             "Ein Anlass erlaubt nur die Suche nach bekanntem Material, nicht nach "
                             "neuem und nicht in dem, was geschrieben wird."},
    [OB_FLOOR_STORAGE] =
        {"What somebody keeps for themselves is looked at only where the exact item was notified.",
         "Was jemand für sich aufbewahrt, wird nur angesehen, wenn genau dieser Inhalt gemeldet "
         "wurde."},
    [OB_PROFESSIONAL_SECRECY] =
        {"This conversation is protected: one of its participants must keep secrets by profession.",
         "Diese Unterhaltung ist geschützt: Eine beteiligte Person unterliegt einem "
         "Berufsgeheimnis."},
    [OB_REGIME_UNKNOWN] = {"This law is not among those that this release knows.",
                           "Dieses Gesetz gehört nicht zu denen, die diese Version kennt."},
    [OB_REGIME_NOT_IN_FORCE] =
        {"This is a proposal or could not be verified. It can be explained, never used.",
         "Dies ist ein Vorschlag oder konnte nicht geprüft werden. Es lässt sich erklären, nie "
         "anwenden."},
    [OB_REGIME_NOT_YET] = {"This law does not apply yet.", "Dieses Gesetz gilt noch nicht."},
    [OB_REGIME_EXPIRED] = {"This law no longer applies.", "Dieses Gesetz gilt nicht mehr."},
    [OB_OUT_OF_SCOPE] =
        {"This law is not about services, places or encryption of this kind.",
         "Dieses Gesetz betrifft keine Dienste, Flächen oder Verschlüsselung dieser Art."},
    [OB_NO_BASIS] =
        {"There is no legal basis for looking at this. So nobody looks.",
         "Es gibt keine Rechtsgrundlage dafür, dies anzusehen. Also sieht niemand nach."},
    [OB_CONSENT_INCOMPLETE] = {"Not everybody concerned has freely agreed.",
                               "Nicht alle Betroffenen haben aus freien Stücken zugestimmt."},
    [OB_REPORT_SCOPE] = {"Only what a participant has disclosed, or what was notified exactly, may "
                         "be looked at; this item is not among it.",
                         "Nur was eine beteiligte Person offengelegt hat oder was genau gemeldet "
                         "wurde, darf angesehen werden; dieser Inhalt gehört nicht dazu."},
    [OB_ORDER_UNAUTHENTICATED] =
        {"It was not verified that this order comes from whom it names.",
         "Es wurde nicht geprüft, dass diese Anordnung von der genannten Stelle kommt."},
    [OB_ORDER_DEFECTIVE] = {"This order lacks something that it must contain. Its sender can be "
                            "asked for clarification.",
                            "Dieser Anordnung fehlt etwas, das sie enthalten muss. Die absendende "
                            "Stelle kann um Klarstellung gebeten werden."},
    [OB_NOT_JUDICIAL] = {"This law lets only courts order this.",
                         "Dieses Gesetz lässt dies nur Gerichte anordnen."},
    [OB_NOT_ORDERABLE] = {"This law does not let this kind of search be ordered.",
                          "Dieses Gesetz lässt diese Art der Suche nicht anordnen."},
    [OB_NO_CHILD_USER] = {"This law asks that a child takes part in the conversation.",
                          "Dieses Gesetz verlangt, dass ein Kind an der Unterhaltung teilnimmt."},
    [OB_ORDER_SUSPENDED] =
        {"This order was revoked or suspended, or its half-way report is overdue.",
         "Diese Anordnung wurde aufgehoben oder ausgesetzt, oder ihr Zwischenbericht ist "
         "überfällig."},
    [OB_ORDER_WINDOW] = {"This order does not apply at this time, lasts longer than the law "
                         "allows, or begins sooner than it allows.",
                         "Diese Anordnung gilt zu dieser Zeit nicht, dauert länger, als das Gesetz "
                         "erlaubt, oder beginnt früher, als es erlaubt."},
    [OB_ORDER_SCOPE] =
        {"This order is about another service or another kind of search.",
         "Diese Anordnung betrifft einen anderen Dienst oder eine andere Art der Suche."},
    [OB_NOT_TARGETED] = {"This order does not name this account.",
                         "Diese Anordnung nennt dieses Konto nicht."},
    [OB_EVIDENCE_OTHER_REGIME] =
        {"What this law demands beforehand was not recorded for this law.",
         "Was dieses Gesetz vorher verlangt, wurde nicht für dieses Gesetz festgehalten."},
    [OB_SAFEGUARD_MISSING] =
        {"A safeguard that this law demands is not on record.",
         "Eine Vorkehrung, die dieses Gesetz verlangt, ist nicht festgehalten."},
    [OB_SAFEGUARD_OUTDATED] =
        {"The impact assessment is older than a year, or older than the last change.",
         "Die Folgenabschätzung ist älter als ein Jahr oder älter als die letzte Änderung."},
    [OB_REPORT_OVERDUE] = {"The yearly report for the year before is missing.",
                           "Der Jahresbericht für das Vorjahr fehlt."},
    [OB_DETECTOR_UNVERIFIED] =
        {"It is not verified that this law allows this kind of search.",
         "Es ist nicht geprüft, dass dieses Gesetz diese Art der Suche erlaubt."},
    [OB_SUBSTANCE_DEDUCTION] =
        {"Text may be looked through for patterns, but not for what it is about.",
         "Text darf auf Muster durchgesehen werden, aber nicht darauf, wovon er handelt."},
    [OB_DETECTOR_SUSPENDED] = {"This way of searching was suspended: it was wrong too often.",
                               "Dieses Suchverfahren ist ausgesetzt: Es lag zu oft falsch."},
    [OB_ERROR_UNMEASURED] =
        {"How often this way of searching is wrong was not measured. Until it is, it is not used.",
         "Wie oft dieses Suchverfahren falsch liegt, wurde nicht gemessen. Bis dahin wird es nicht "
         "benutzt."},
    [OB_LIST_UNTRUSTED] = {"Nobody vouches for this list, or it was made for another purpose.",
                           "Für diese Liste bürgt niemand, oder sie dient einem anderen Zweck."},
    [OB_POLICY_OFF] = {"This service has not switched this on.",
                       "Dieser Dienst hat dies nicht eingeschaltet."},
};

const char *ob_reason_text(ob_reason reason, ob_language language)
{
    return reason < OB_REASON_COUNT && language < OB_LANGUAGES ? texts[reason][language] : "";
}

bool ob_reason_is_operational(ob_reason reason)
{
    return reason == OB_CLOCK || reason == OB_NO_AUDIT;
}
