# fish completion for pilotlight, made by "pilotlight completion fish"
complete -c pilotlight -f
complete -c pilotlight -n __fish_use_subcommand -a run -d 'runs the proxy'
complete -c pilotlight -n __fish_use_subcommand -a demo -d 'runs a demo that needs no configuration'
complete -c pilotlight -n __fish_use_subcommand -a init -d 'asks three questions and writes a configuration to begin with'
complete -c pilotlight -n __fish_use_subcommand -a check -d 'validates a configuration'
complete -c pilotlight -n __fish_use_subcommand -a status -d 'shows every service with its replicas and what was last decided'
complete -c pilotlight -n __fish_use_subcommand -a certificates -d 'shows every certificate, its end and how its renewal stands'
complete -c pilotlight -n __fish_use_subcommand -a routes -d 'shows where hosts and paths lead, or with --explain one request'
complete -c pilotlight -n __fish_use_subcommand -a endpoints -d 'shows where a service is, and why an address is out of use'
complete -c pilotlight -n __fish_use_subcommand -a drain -d 'takes an endpoint out: it only finishes the requests that it has'
complete -c pilotlight -n __fish_use_subcommand -a undrain -d 'takes an endpoint back that was drained'
complete -c pilotlight -n __fish_use_subcommand -a weight -d 'gives an endpoint another share of the requests'
complete -c pilotlight -n __fish_use_subcommand -a why -d 'shows the last decisions about a service, with their numbers and guards'
complete -c pilotlight -n __fish_use_subcommand -a logs -d 'shows what the replicas of a service wrote last'
complete -c pilotlight -n __fish_use_subcommand -a events -d 'shows what happens, as it happens, of a service or of all'
complete -c pilotlight -n __fish_use_subcommand -a costs -d 'shows what services took, and would have taken otherwise'
complete -c pilotlight -n __fish_use_subcommand -a replay -d 'decides what a journal records again, and says what comes out otherwise'
complete -c pilotlight -n __fish_use_subcommand -a simulate -d 'shows how a service would scale under a load, on virtual time'
complete -c pilotlight -n __fish_use_subcommand -a wake -d 'starts a service, and waits until it is ready or says why it is not'
complete -c pilotlight -n __fish_use_subcommand -a sleep -d 'retires every replica of a service'
complete -c pilotlight -n __fish_use_subcommand -a scale -d 'has a service run N replicas at once; 0 puts it to sleep'
complete -c pilotlight -n __fish_use_subcommand -a freeze -d 'stops scaling and sleeping of a service, or of all; wakes go on'
complete -c pilotlight -n __fish_use_subcommand -a unfreeze -d 'lets a frozen service, or all of them, be scaled again'
complete -c pilotlight -n __fish_use_subcommand -a log-level -d 'shows the log level of a running proxy, or changes it until its end'
complete -c pilotlight -n __fish_use_subcommand -a upgrade -d 'has a running proxy replaced by this program, without a lost request'
complete -c pilotlight -n __fish_use_subcommand -a hash-password -d 'reads a password from standard input and prints its hash, for basicAuth'
complete -c pilotlight -n __fish_use_subcommand -a completion -d 'prints what bash, zsh or fish needs to complete command lines'
complete -c pilotlight -n __fish_use_subcommand -a help -d 'shows this text, or that of one command'
complete -c pilotlight -n __fish_use_subcommand -a version -d 'shows the version'
complete -c pilotlight -n '__fish_seen_subcommand_from run' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from run' -l log-level -d 'debug, info, warn, error or silent' -x -a 'debug info warn error silent'
complete -c pilotlight -n '__fish_seen_subcommand_from run' -l log-format -d 'json, or pretty. Default: pretty at a terminal' -x -a 'json pretty'
complete -c pilotlight -n '__fish_seen_subcommand_from run' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from demo' -l log-level -d 'debug, info, warn, error or silent' -x -a 'debug info warn error silent'
complete -c pilotlight -n '__fish_seen_subcommand_from demo' -l log-format -d 'json, or pretty. Default: pretty at a terminal' -x -a 'json pretty'
complete -c pilotlight -n '__fish_seen_subcommand_from demo' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from init' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from init' -l listen -d 'where requests are taken, as 0.0.0.0:8080' -x
complete -c pilotlight -n '__fish_seen_subcommand_from init' -l host -d 'only what is for this host; of init: the host that leads to the service' -x
complete -c pilotlight -n '__fish_seen_subcommand_from init' -l serve -d 'what runs the service (see below)' -x
complete -c pilotlight -n '__fish_seen_subcommand_from init' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from init' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from check' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from check' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from check' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from status' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from status' -l watch -d 'the whole screen, live: arrows move, q ends; elsewhere again every second'
complete -c pilotlight -n '__fish_seen_subcommand_from status' -l names -d 'prints the names only, one a line'
complete -c pilotlight -n '__fish_seen_subcommand_from status' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from status' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from status' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from status' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from certificates' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from certificates' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from certificates' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from certificates' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from certificates' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from routes' -a 'GET HEAD POST PUT PATCH DELETE OPTIONS'
complete -c pilotlight -n '__fish_seen_subcommand_from routes' -l host -d 'only what is for this host; of init: the host that leads to the service' -x
complete -c pilotlight -n '__fish_seen_subcommand_from routes' -l explain -d 'which route takes this request, by which rule, and why the others do not'
complete -c pilotlight -n '__fish_seen_subcommand_from routes' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from routes' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from routes' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from routes' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from routes' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from endpoints' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from endpoints' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from endpoints' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from endpoints' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from endpoints' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from endpoints' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from drain' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from drain' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from drain' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from drain' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from drain' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from drain' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from undrain' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from undrain' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from undrain' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from undrain' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from undrain' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from undrain' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from weight' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from weight' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from weight' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from weight' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from weight' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from weight' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from why' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from why' -l since -d 'from then on: a duration as 10m, or a time. Default: 20 decisions, 7d of costs' -x
complete -c pilotlight -n '__fish_seen_subcommand_from why' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from why' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from why' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from why' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from why' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from logs' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from logs' -l lines -d 'how many lines of each replica, 1 to 1000. Default: 50' -x
complete -c pilotlight -n '__fish_seen_subcommand_from logs' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from logs' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from logs' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from logs' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from logs' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from events' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from events' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from events' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from events' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from events' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from events' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from costs' -l since -d 'from then on: a duration as 10m, or a time. Default: 20 decisions, 7d of costs' -x
complete -c pilotlight -n '__fish_seen_subcommand_from costs' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from costs' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from costs' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from costs' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from costs' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from replay' -F
complete -c pilotlight -n '__fish_seen_subcommand_from replay' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from replay' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l service -d 'which service; may be left out where only one can be started' -x -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l load -d 'the clients (see below)' -x
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l trace -d 'recorded calls instead: app,func,end_timestamp,duration in seconds (CSV)' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l function -d 'of the trace, only the function whose name begins so' -x
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l speed -d 'the trace comes so many times as fast. Default: 1' -x
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l app -d 'how the app behaves (see below)' -x
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l running -d 'replicas that run when the load begins. Default: `scale.min`' -x
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l for -d 'how long. Default: of a freeze 1h, at most 24h; of a load 5m, or as long as the trace' -x
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l seed -d 'what chance follows from: the same number gives the same outcome. Default: 1' -x
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l against -d 'whom to compare with (see below)' -x
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l out -d 'writes a report with plots (HTML)' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from simulate' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from wake' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from wake' -l no-wait -d 'does not wait until it is ready, or the start failed'
complete -c pilotlight -n '__fish_seen_subcommand_from wake' -l timeout -d 'how long to wait; the start goes on. Default: until it is decided' -x
complete -c pilotlight -n '__fish_seen_subcommand_from wake' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from wake' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from wake' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from wake' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from wake' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from sleep' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from sleep' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from sleep' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from sleep' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from sleep' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from sleep' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from scale' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from scale' -l dry-run -d 'says what it would do, and does not do it'
complete -c pilotlight -n '__fish_seen_subcommand_from scale' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from scale' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from scale' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from scale' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from scale' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from freeze' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from freeze' -l for -d 'how long. Default: of a freeze 1h, at most 24h; of a load 5m, or as long as the trace' -x
complete -c pilotlight -n '__fish_seen_subcommand_from freeze' -l reason -d 'why, shown by status' -x
complete -c pilotlight -n '__fish_seen_subcommand_from freeze' -l dry-run -d 'says what it would do, and does not do it'
complete -c pilotlight -n '__fish_seen_subcommand_from freeze' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from freeze' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from freeze' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from freeze' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from freeze' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from unfreeze' -a '(pilotlight status --names 2>/dev/null | grep -x \'[a-z0-9-]*\')'
complete -c pilotlight -n '__fish_seen_subcommand_from unfreeze' -l dry-run -d 'says what it would do, and does not do it'
complete -c pilotlight -n '__fish_seen_subcommand_from unfreeze' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from unfreeze' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from unfreeze' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from unfreeze' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from unfreeze' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from log-level' -a 'debug info warn error silent'
complete -c pilotlight -n '__fish_seen_subcommand_from log-level' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from log-level' -l admin -d 'the running proxy; else PILOTLIGHT_ADMIN, else what the configuration says' -x
complete -c pilotlight -n '__fish_seen_subcommand_from log-level' -l token -d 'the admin token; else PILOTLIGHT_ADMIN_TOKEN' -x
complete -c pilotlight -n '__fish_seen_subcommand_from log-level' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from log-level' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from upgrade' -l config -s c -d 'the configuration; else PILOTLIGHT_CONFIG and the usual places' -r -F
complete -c pilotlight -n '__fish_seen_subcommand_from upgrade' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from upgrade' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from hash-password' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'
complete -c pilotlight -n '__fish_seen_subcommand_from completion' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from help' -a 'run demo init check status certificates routes endpoints drain undrain weight why logs events costs replay simulate wake sleep scale freeze unfreeze log-level upgrade hash-password completion help version'
complete -c pilotlight -n '__fish_seen_subcommand_from help' -l help -s h -d 'shows this text'
complete -c pilotlight -n '__fish_seen_subcommand_from version' -l json -d 'prints JSON'
complete -c pilotlight -n '__fish_seen_subcommand_from version' -l help -s h -d 'shows this text'
