# mailsetup as a template of HestiaCP, for the host names autoconfig.DOMAIN and autodiscover.DOMAIN of a mail
# domain. This file is for http, mailsetup.stpl for https; neither redirects to the other. Hestia replaces the words
# between percent signs.
#
# Where:  nginx in front of Apache: /usr/local/hestia/data/templates/web/nginx/mailsetup.tpl and mailsetup.stpl;
#         nginx alone: /usr/local/hestia/data/templates/web/nginx/php-fpm/, with web_port and web_ssl_port in place of
#         proxy_port and proxy_ssl_port. docs/panels.md has the commands.
# Needs:  mailsetup.socket (contrib/systemd); nginx of Hestia runs as www-data
# Test:   curl -i 'http://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=ann@example.org'

server {
    listen      %ip%:%proxy_port%;
    server_name %domain_idn% %alias_idn%;
    error_log   /var/log/%web_system%/domains/%domain%.error.log error;
    # The query contains the address, and the formats of Hestia log it.
    access_log  off;
    client_max_body_size 64k;

    # All paths are passed on; unknown ones get 404 from mailsetup.
    location / {
        include fastcgi_params;
        fastcgi_param HTTP_HOST $host;
        fastcgi_pass unix:/run/mailsetup.sock;
        fastcgi_intercept_errors off;
    }

    # Here Hestia answers Let's Encrypt.
    include %home%/%user%/conf/web/%domain%/nginx.conf_*;
}
