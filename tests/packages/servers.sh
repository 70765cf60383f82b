# Runs in a system with web servers: starts one of them with Debian's own configuration and the lines
# of README.Debian.
#
#   servers.sh nginx|apache|lighttpd [stop|plain]
#
# `stop` stops it; `plain` starts it without these lines.
# shellcheck shell=sh

case $1 in
apache) unit=apache2 ;;
*) unit=$1 ;;
esac
if [ "${2-}" = stop ]; then
    systemctl stop "$unit"
    exit 0
fi
if [ "${2-}" != plain ]; then
    case $1 in
    nginx)
        site=/etc/nginx/sites-available/default
        grep -q snippets/mailsetup.conf "$site" ||
            sed -i 's|^\tserver_name _;|&\n\tinclude snippets/mailsetup.conf;|' "$site"
        grep -q snippets/mailsetup.conf "$site"
        nginx -q -t
        ;;
    apache)
        a2enmod --quiet proxy_fcgi setenvif
        a2enconf --quiet mailsetup
        ;;
    lighttpd)
        # 2 says that it is enabled.
        lighty-enable-mod mailsetup-fastcgi >/dev/null || [ $? -eq 2 ]
        ;;
    esac
fi
systemctl restart "$unit"
tries=0
until curl --silent --output /dev/null http://127.0.0.1/; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then
        systemctl status --no-pager "$unit" >&2
        exit 1
    fi
    sleep 0.1
done
