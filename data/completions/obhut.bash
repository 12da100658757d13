# Completion of obhut(1) for bash.
_obhut() {
    local word=${COMP_WORDS[COMP_CWORD]} at=1 words=
    while [[ ${COMP_WORDS[at]} == --data ]]; do
        ((at += 2))
    done
    if ((COMP_CWORD == at)); then
        words='audit backup cause check clock consent detector gate gateway hash help hold list match order
            person policy proposal record report restore safeguard scan status token verdict version'
    elif ((COMP_CWORD == at + 1)); then
        case ${COMP_WORDS[at]} in
        audit) words='verify show search checkpoint prove code consents forget' ;;
        backup) words='key make show' ;;
        cause) words='add ls end told' ;;
        clock) words='show accept' ;;
        consent) words='withdraw' ;;
        detector) words='ls suspend set' ;;
        gate) words='explain regimes' ;;
        gateway | token) words='add ls remove' ;;
        help) words='audit backup cause check clock consent detector gate gateway hash hold list match order
            person policy proposal record report restore safeguard scan status token verdict' ;;
        hold) words='add ls end keep' ;;
        list) words='import ls info export add withdraw update merge disable enable remove accept' ;;
        order) words='check add ls suspend resume revoke halfway' ;;
        person) words='add ls remove' ;;
        policy) words='show set' ;;
        proposal) words='ls approve reject' ;;
        record) words='reap kinds' ;;
        report) words='ls confirm remove' ;;
        safeguard) words='record ls remove' ;;
        verdict) words='add ls overturn' ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _obhut obhut
