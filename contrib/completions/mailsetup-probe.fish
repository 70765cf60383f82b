complete -c mailsetup-probe -l client -d 'Look at this client only' -r
complete -c mailsetup-probe -l resolve -d 'Use this address for a host, without DNS' -r
complete -c mailsetup-probe -l dns -d 'Ask this DNS server' -r
complete -c mailsetup-probe -l ca -d 'Trust the certificates of this file, too (PEM)' -r -F
complete -c mailsetup-probe -l timeout -d 'End after this time, all together' -r
complete -c mailsetup-probe -l html -d 'Write the report as an HTML page to this file, too' -r -F
complete -c mailsetup-probe -l explain -d 'Print what a finding means, and end' -r
complete -c mailsetup-probe -l ipv4 -d 'Connect over IPv4 only'
complete -c mailsetup-probe -l ipv6 -d 'Connect over IPv6 only'
complete -c mailsetup-probe -l login -d 'Ask for the password on the terminal, and log in to each server'
complete -c mailsetup-probe -l json -d 'Print JSON'
complete -c mailsetup-probe -s q -l quiet -d 'Print nothing; use the exit status only'
complete -c mailsetup-probe -l as-config -d 'Print a configuration of mailsetup with the settings that are published today'
complete -c mailsetup-probe -l missing-dns -d 'Print the DNS records that are missing, as lines of a zone file'
complete -c mailsetup-probe -s V -l version -d 'Print the version'
complete -c mailsetup-probe -s h -l help -d 'Print help (see more with \'--help\')'
