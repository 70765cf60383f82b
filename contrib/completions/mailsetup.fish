# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mailsetup_global_optspecs
    string join \n config= V/version h/help
end

function __fish_mailsetup_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mailsetup_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mailsetup_using_subcommand
    set -l cmd (__fish_mailsetup_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mailsetup -n "__fish_mailsetup_needs_command" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_needs_command" -s V -l version -d 'Print the version and the version of OpenSSL'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "init" -d 'Write a configuration from the mail servers of this machine'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "import" -d 'Write a configuration from what answered mail clients before'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "serve" -d 'Answer requests over FastCGI or HTTP'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "show" -d 'Print the response that a mail client gets'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "dns" -d 'Print the DNS records to publish for domains'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "names" -d 'List the host names that certificates need'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "check" -d 'Check the configuration, also for settings that break mail clients'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "hook" -d 'Print the file for a web server, with your paths and domains'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "health" -d 'Ask a service on this machine whether it answers, for health checks'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "probe" -d 'Ask the servers of a domain as mail clients do (starts mailsetup-probe)'
complete -c mailsetup -n "__fish_mailsetup_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -l doveconf -d 'The output of doveconf -n, or doveconf -S, of another machine' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -l postconf -d 'The output of postconf, postconf -n or postconf -x' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -l master -d 'The output of postconf -M or postconf -P, or the file master.cf' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -l exim -d 'The output of exim -bP; the manual has its arguments' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -l smtpd -d 'The file smtpd.conf of OpenSMTPD, and those that it includes' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -l listening -d 'The files /proc/net/tcp and /proc/net/tcp6 of that machine' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -l stdout -d 'Print the configuration instead of writing the file'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -l force -d 'Overwrite the file if it exists, and keep the old one as FILE.bak'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand import" -l domains -d 'Read domains: lines, CSV, the output of mysql, psql or sqlite3' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand import" -l list -d 'Write the domains into this list, for domains.list_files' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand import" -l directory -d 'Write a file for each new domain, for domains.directory' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand import" -l at-least -d 'How many of the domains in the list must still be there' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand import" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand import" -l stdout -d 'Print the configuration instead of writing the file'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand import" -l force -d 'Overwrite the file if it exists, and keep the old one as FILE.bak'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand serve" -l listen -d 'FastCGI socket: unix:PATH[,mode=MODE][,group=NAME] or ADDRESS:PORT' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand serve" -l http -d 'HTTP socket: ADDRESS:PORT' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand serve" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand show" -l client -d 'The client, or the kind of document' -r -f -a "thunderbird\t'Thunderbird and all others that read autoconfig'
outlook\t'Outlook and all others that read Autodiscover'
apple\t'iPhone, iPad and Mac'
pacc\t'Clients that read PACC'
json\t'Clients that ask for Autodiscover in JSON'
page\t'The page for the mailbox, in HTML'
dns\t'The DNS records of the domain, as dns prints them'
all\t'All documents for mail clients; PACC if it is enabled'"
complete -c mailsetup -n "__fish_mailsetup_using_subcommand show" -l local-xml -d 'Print the file for Outlook\'s registry value PreferLocalXML' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand show" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand show" -l sign -d 'Exit with status 1 if the profile cannot be signed'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l format -d 'The form of the output' -r -f -a "zone\t'Lines of a zone file'
json\t'JSON: an array of records'
nsupdate\t'A script for nsupdate of BIND and knsupdate of Knot'
octodns\t'YAML of octoDNS; for several zones, --directory is needed'
powerdns\t'JSON for the API of PowerDNS, one line for each zone'
terraform\t'JSON of Terraform and OpenTofu, provider hashicorp/dns'"
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l web-host -d 'Host name of the web server, the target of the CNAME records' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l autodiscover-srv -d 'Add an _autodiscover._tcp record with this target, on port 443' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l ttl -d 'The time to live of the records' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l zone -d 'The zone of the domains that are below it' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l directory -d 'Write a file for each zone into this folder' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l all -d 'All domains that the configuration names'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l soa -d 'Add an SOA and an NS record, so that the output is a complete zone'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -l json -d 'The same as --format json'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand dns" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand names" -l missing-from -d 'Only names that no certificate in this file or folder contains' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand names" -l format -d 'The form of the output' -r -f -a "lines\t'One name per line'
certbot\t'A shell script with a command for each certificate'
acme.sh\t'The same for acme.sh'
lego\t'The same for lego, from version 5 on'
lego-4\t'The same for lego up to version 4'
dehydrated\t'Lines for the file domains.txt of dehydrated'"
complete -c mailsetup -n "__fish_mailsetup_using_subcommand names" -l max-names -d 'The most names in a certificate, for forms other than lines' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand names" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand names" -l json -d 'Print JSON: an array of domains with their names'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand names" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand check" -l explain -d 'Explain a code, and check nothing' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand check" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand check" -l strict -d 'Count warnings as errors'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand check" -s q -l quiet -d 'Print nothing; use the exit status only'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand check" -l json -d 'Print JSON: an array of all findings'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -l socket -d 'The socket to connect to: unix:PATH or ADDRESS:PORT' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -l domains -d 'The domains, with commas between them, or * for any domain' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -l certificate -d 'The certificate for the host names, with its chain' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -l key -d 'The key of the certificate' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -l program -d 'The path of this program' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -l cgi-bin -d 'The folder of CGI programs, which has mailsetup.cgi' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -l user -d 'The user to whom the socket belongs' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -l group -d 'The group of the socket, that of the web server' -r
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand hook" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand health" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand health" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand probe" -l config -d 'The configuration file' -r -F
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "init" -d 'Write a configuration from the mail servers of this machine'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "import" -d 'Write a configuration from what answered mail clients before'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "serve" -d 'Answer requests over FastCGI or HTTP'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "show" -d 'Print the response that a mail client gets'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "dns" -d 'Print the DNS records to publish for domains'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "names" -d 'List the host names that certificates need'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "check" -d 'Check the configuration, also for settings that break mail clients'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "hook" -d 'Print the file for a web server, with your paths and domains'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "health" -d 'Ask a service on this machine whether it answers, for health checks'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "probe" -d 'Ask the servers of a domain as mail clients do (starts mailsetup-probe)'
complete -c mailsetup -n "__fish_mailsetup_using_subcommand help; and not __fish_seen_subcommand_from init import serve show dns names check hook health probe help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
