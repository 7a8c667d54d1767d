# bash completion for pilotlight, made by "pilotlight completion bash"
_pilotlight() {
  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="" operands=0 word skip=0 i
  COMPREPLY=()
  case "$before" in
    -c|--config) COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
    --since) :; return ;;
    --lines) :; return ;;
    --timeout) :; return ;;
    --reason) :; return ;;
    --service) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")); return ;;
    --load) :; return ;;
    --trace) COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
    --function) :; return ;;
    --running) :; return ;;
    --speed) :; return ;;
    --app) :; return ;;
    --for) :; return ;;
    --seed) :; return ;;
    --against) :; return ;;
    --out) COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
    --host) :; return ;;
    --listen) :; return ;;
    --serve) :; return ;;
    --admin) :; return ;;
    --token) :; return ;;
    --log-level) COMPREPLY=($(compgen -W "debug info warn error silent" -- "$current")); return ;;
    --log-format) COMPREPLY=($(compgen -W "json pretty" -- "$current")); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    if ((skip)); then skip=0; continue; fi
    case "$word" in
      -c|--config|--since|--lines|--timeout|--reason|--service|--load|--trace|--function|--running|--speed|--app|--for|--seed|--against|--out|--host|--listen|--serve|--admin|--token|--log-level|--log-format) skip=1 ;;
      -*) ;;
      *) if [[ -z "$command" ]]; then command="$word"; else ((operands += 1)); fi ;;
    esac
  done
  if [[ -z "$command" ]]; then
    COMPREPLY=($(compgen -W "run demo init check status certificates routes endpoints drain undrain weight why logs events costs replay simulate wake sleep scale freeze unfreeze log-level upgrade hash-password completion help version --help --version" -- "$current"))
    return
  fi
  if [[ "$current" == -* ]]; then
    case "$command" in
      run) COMPREPLY=($(compgen -W "-c --config --log-level --log-format -h --help" -- "$current")) ;;
      demo) COMPREPLY=($(compgen -W "--log-level --log-format -h --help" -- "$current")) ;;
      init) COMPREPLY=($(compgen -W "-c --config --listen --host --serve --json -h --help" -- "$current")) ;;
      check) COMPREPLY=($(compgen -W "-c --config --json -h --help" -- "$current")) ;;
      status) COMPREPLY=($(compgen -W "--json --watch --names --admin --token -c --config -h --help" -- "$current")) ;;
      certificates) COMPREPLY=($(compgen -W "--json --admin --token -c --config -h --help" -- "$current")) ;;
      routes) COMPREPLY=($(compgen -W "--host --explain --json --admin --token -c --config -h --help" -- "$current")) ;;
      endpoints) COMPREPLY=($(compgen -W "--json --admin --token -c --config -h --help" -- "$current")) ;;
      drain) COMPREPLY=($(compgen -W "--json --admin --token -c --config -h --help" -- "$current")) ;;
      undrain) COMPREPLY=($(compgen -W "--json --admin --token -c --config -h --help" -- "$current")) ;;
      weight) COMPREPLY=($(compgen -W "--json --admin --token -c --config -h --help" -- "$current")) ;;
      why) COMPREPLY=($(compgen -W "--since --json --admin --token -c --config -h --help" -- "$current")) ;;
      logs) COMPREPLY=($(compgen -W "--lines --json --admin --token -c --config -h --help" -- "$current")) ;;
      events) COMPREPLY=($(compgen -W "--json --admin --token -c --config -h --help" -- "$current")) ;;
      costs) COMPREPLY=($(compgen -W "--since --json --admin --token -c --config -h --help" -- "$current")) ;;
      replay) COMPREPLY=($(compgen -W "--json -h --help" -- "$current")) ;;
      simulate) COMPREPLY=($(compgen -W "-c --config --service --load --trace --function --speed --app --running --for --seed --against --out --json -h --help" -- "$current")) ;;
      wake) COMPREPLY=($(compgen -W "--no-wait --timeout --json --admin --token -c --config -h --help" -- "$current")) ;;
      sleep) COMPREPLY=($(compgen -W "--json --admin --token -c --config -h --help" -- "$current")) ;;
      scale) COMPREPLY=($(compgen -W "--dry-run --json --admin --token -c --config -h --help" -- "$current")) ;;
      freeze) COMPREPLY=($(compgen -W "--for --reason --dry-run --json --admin --token -c --config -h --help" -- "$current")) ;;
      unfreeze) COMPREPLY=($(compgen -W "--dry-run --json --admin --token -c --config -h --help" -- "$current")) ;;
      log-level) COMPREPLY=($(compgen -W "--json --admin --token -c --config -h --help" -- "$current")) ;;
      upgrade) COMPREPLY=($(compgen -W "-c --config --json -h --help" -- "$current")) ;;
      hash-password) COMPREPLY=($(compgen -W "-h --help" -- "$current")) ;;
      completion) COMPREPLY=($(compgen -W "-h --help" -- "$current")) ;;
      help) COMPREPLY=($(compgen -W "-h --help" -- "$current")) ;;
      version) COMPREPLY=($(compgen -W "--json -h --help" -- "$current")) ;;
    esac
    return
  fi
  case "$command:$operands" in
    routes:0) COMPREPLY=($(compgen -W "GET HEAD POST PUT PATCH DELETE OPTIONS" -- "$current")) ;;
    routes:1) : ;;
    endpoints:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    drain:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    drain:1) : ;;
    undrain:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    undrain:1) : ;;
    weight:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    weight:1) : ;;
    weight:2) : ;;
    why:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    logs:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    events:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    replay:0) COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null ;;
    wake:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    sleep:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    scale:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    scale:1) : ;;
    freeze:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    unfreeze:0) COMPREPLY=($(compgen -W "$(pilotlight status --names 2>/dev/null | grep -x '[a-z0-9-]*')" -- "$current")) ;;
    log-level:0) COMPREPLY=($(compgen -W "debug info warn error silent" -- "$current")) ;;
    completion:0) COMPREPLY=($(compgen -W "bash zsh fish" -- "$current")) ;;
    help:0) COMPREPLY=($(compgen -W "run demo init check status certificates routes endpoints drain undrain weight why logs events costs replay simulate wake sleep scale freeze unfreeze log-level upgrade hash-password completion help version" -- "$current")) ;;
  esac
}
complete -F _pilotlight pilotlight
