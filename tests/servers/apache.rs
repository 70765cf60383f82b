//! Apache: mod_proxy_fcgi with the socket; mod_fcgid, mod_cgid and mod_cgi, which start the
//! program; and `.htaccess` on shared hosting.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use super::{HTTP, certificate, existing_site, install, listens, serve, servers_directory};
use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, command, copy_program, run, source, write};

/// Debian's apache2.conf, without unrelated settings; modules come before.
const MAIN: &str = r#"
ServerName localhost
DefaultRuntimeDir /run/apache2
PidFile /run/apache2/apache2.pid
User www-data
Group www-data
ErrorLog ${APACHE_LOG_DIR}/error.log
LogLevel info
<Directory />
    Options FollowSymLinks
    AllowOverride None
    Require all denied
</Directory>
<Directory /var/www/>
    Options Indexes FollowSymLinks
    AllowOverride None
    Require all granted
</Directory>
AccessFileName .htaccess
<FilesMatch "^\.ht">
    Require all denied
</FilesMatch>
<IfModule mod_mime.c>
    TypesConfig /etc/mime.types
</IfModule>
IncludeOptional conf-enabled/*.conf
IncludeOptional sites-enabled/*.conf
"#;

/// A site with the log lines from the comments in contrib's files.
const SITE: &str = r#"
<VirtualHost *:80>
    DocumentRoot /var/www/html
    <Directory /var/www/html>
        AllowOverride All
    </Directory>
    CustomLog ${APACHE_LOG_DIR}/access.log "%h %l %u %t \"%r\" %>s %O" env=!mailsetup
    CustomLog ${APACHE_LOG_DIR}/access.log "%h %l %u %t \"%m %{mailsetup}e %H\" %>s %O \"-\" \"%{User-Agent}i\"" env=mailsetup
</VirtualHost>
"#;

/// As in WordPress and others: every path that is not a file is passed to one program; here, to
/// 404.
const FRONT_CONTROLLER: &str = "\
RewriteEngine On
RewriteBase /
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule . - [R=404,L]
";

/// An account at a hoster: each site has its own directory, and CGI is allowed.
const SHARED_HOSTING: &str = r#"
<VirtualHost *:80>
    DocumentRoot /var/www/account
    <Directory /var/www/account>
        Options -Indexes +ExecCGI +SymLinksIfOwnerMatch
        AllowOverride FileInfo
    </Directory>
</VirtualHost>
"#;

/// contrib/apache/mailsetup-proxy_fcgi.conf.
pub fn proxy_fcgi(world: &Namespace) -> Vec<Process> {
    shared_site("apache/mailsetup-proxy_fcgi.conf");
    vec![serve(world), start(world, "event", &["proxy", "proxy_fcgi", "rewrite", "setenvif"])]
}

/// contrib/apache/vhost.conf as the only site.
pub fn vhost(world: &Namespace) -> Vec<Process> {
    clear();
    certificate();
    install("apache/vhost.conf", "/etc/apache2/sites-enabled/mailsetup.conf");
    let modules = ["proxy", "proxy_fcgi", "setenvif", "socache_shmcb", "ssl"];
    vec![serve(world), start(world, "event", &modules)]
}

/// The same together with lines for all sites.
pub fn vhost_beside(world: &Namespace, lines: &str) -> Vec<Process> {
    clear();
    certificate();
    install("apache/vhost.conf", "/etc/apache2/sites-enabled/mailsetup.conf");
    write(Path::new("/etc/apache2/conf-enabled/theirs.conf"), lines);
    let modules = [&USUAL[..], &["proxy_fcgi", "socache_shmcb", "ssl"]].concat();
    vec![serve(world), start(world, "event", &modules)]
}

/// contrib/apache/mailsetup-fcgid.conf.
pub fn fcgid(world: &Namespace) -> Vec<Process> {
    shared_site("apache/mailsetup-fcgid.conf");
    vec![start(world, "event", &["alias", "fcgid", "rewrite", "setenvif"])]
}

/// contrib/apache/mailsetup-cgid.conf under mod_cgid.
pub fn cgid(world: &Namespace) -> Vec<Process> {
    shared_site("apache/mailsetup-cgid.conf");
    vec![start(world, "event", &["alias", "cgid", "rewrite", "setenvif"])]
}

/// contrib/apache/mailsetup-cgid.conf under mod_cgi.
pub fn cgi(world: &Namespace) -> Vec<Process> {
    shared_site("apache/mailsetup-cgid.conf");
    vec![start(world, "prefork", &["alias", "cgi", "rewrite", "setenvif"])]
}

/// A file of contrib for every site, and the module that it needs.
pub const SNIPPETS: [(&str, &str); 3] = [
    ("apache/mailsetup-proxy_fcgi.conf", "proxy_fcgi"),
    ("apache/mailsetup-fcgid.conf", "fcgid"),
    ("apache/mailsetup-cgid.conf", "cgid"),
];

/// Further modules that Debian's Apache loads, or that a site with a password needs.
const USUAL: [&str; 8] = [
    "alias",
    "auth_basic",
    "authn_core",
    "authn_file",
    "authz_user",
    "proxy",
    "rewrite",
    "setenvif",
];

/// One of them together with these lines in the site's virtual host, and these in its `.htaccess`.
pub fn snippet_beside(
    world: &Namespace,
    (conf, module): (&str, &str),
    lines: &str,
    htaccess: &str,
) -> Vec<Process> {
    shared_site(conf);
    let site = SITE.replace("</VirtualHost>", &format!("{lines}\n</VirtualHost>"));
    write(Path::new("/etc/apache2/sites-enabled/000-default.conf"), site);
    let htaccess = format!("{htaccess}\n{FRONT_CONTROLLER}");
    write(Path::new("/var/www/html/.htaccess"), htaccess);
    let server = start(world, "event", &[&USUAL[..], &[module]].concat());
    match module {
        "proxy_fcgi" => vec![serve(world), server],
        _ => vec![server],
    }
}

/// Runs a site as a separate user, as hosters do: suEXEC only accepts programs below /var/www that
/// belong to that user. The file of contrib is included as described in its comment.
pub fn suexec(world: &Namespace, (conf, module): (&str, &str)) -> Process {
    clear();
    existing_site();
    install(conf, "/etc/apache2/conf-available/mailsetup.conf");
    install(conf, "/etc/apache2/conf-enabled/mailsetup.conf");
    let site = "<VirtualHost *:80>
        DocumentRoot /var/www/html
        SuexecUserGroup account account
        Define mailsetup_folder /var/www/account/cgi-bin
        Include conf-available/mailsetup.conf
    </VirtualHost>";
    write(Path::new("/etc/apache2/sites-enabled/000-default.conf"), site);
    let folder = Path::new("/var/www/account/cgi-bin");
    let program = folder.join("mailsetup.cgi");
    fs::create_dir_all(folder).expect("mkdir");
    copy_program(PROGRAM, &program);
    for path in [folder, &program] {
        chown(path, Some(2000), Some(2000)).expect("chown");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("chmod");
    }
    suexec_account();
    start(world, "event", &[&USUAL[..], &["suexec", module]].concat())
}

/// A user `account` with the home /var/www/account, for whom suEXEC runs programs below it.
pub(super) fn suexec_account() {
    let (user, group) = ("account:x:2000:2000::/var/www/account:/bin/false", "account:x:2000:");
    for (file, line) in [("/etc/passwd", user), ("/etc/group", group)] {
        let before = fs::read_to_string(file).expect("text");
        write(Path::new(file), format!("{before}{line}\n"));
    }
    // A copy, which belongs to root of this namespace.
    let suexec = Path::new("/usr/lib/apache2/suexec");
    let bytes = fs::read("/usr/lib/apache2/suexec-custom").expect("suexec-custom");
    write(suexec, bytes);
    write(Path::new("/etc/apache2/suexec/www-data"), "/var/www\npublic_html\n");
    fs::set_permissions(suexec, fs::Permissions::from_mode(0o4755)).expect("chmod");
}

/// contrib/apache/htaccess next to a copy of the program and its configuration.
pub fn htaccess(world: &Namespace) -> Vec<Process> {
    shared_hosting(fs::read_to_string(source("contrib/apache/htaccess")).expect("htaccess"));
    vec![start(world, "event", &["cgid", "mime", "rewrite"])]
}

/// The same with mod_fcgid, as described in the comment of the file.
pub fn htaccess_fcgid(world: &Namespace) -> Vec<Process> {
    let file = fs::read_to_string(source("contrib/apache/htaccess")).expect("htaccess");
    let changed = file.replace("AddHandler cgi-script", "AddHandler fcgid-script");
    assert_ne!(file, changed);
    shared_hosting(changed);
    vec![start(world, "event", &["fcgid", "mime", "rewrite"])]
}

pub fn clear() {
    for directory in ["sites-enabled", "conf-enabled"] {
        let _ = fs::remove_dir_all(Path::new("/etc/apache2").join(directory));
    }
}

fn shared_site(conf: &str) {
    clear();
    existing_site();
    write(Path::new("/var/www/html/.htaccess"), FRONT_CONTROLLER);
    install(conf, "/etc/apache2/conf-enabled/mailsetup.conf");
    write(Path::new("/etc/apache2/sites-enabled/000-default.conf"), SITE);
}

fn shared_hosting(htaccess: String) {
    clear();
    let root = Path::new("/var/www/account");
    write(&root.join(".htaccess"), htaccess);
    write(&root.join("hello.txt"), "hello\n");
    // The account has no /etc: its configuration is next to the program.
    let config = Path::new("/etc/mailsetup/config.toml");
    fs::copy(config, root.join("mailsetup.toml")).expect("config");
    fs::remove_file(config).expect("config");
    let program = root.join("mailsetup.cgi");
    copy_program(PROGRAM, &program);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("chmod");
    write(Path::new("/etc/apache2/sites-enabled/000-default.conf"), SHARED_HOSTING);
}

pub fn start(world: &Namespace, mpm: &str, modules: &[&str]) -> Process {
    let mut main = String::from("ServerRoot /etc/apache2\nListen 80\n");
    if modules.contains(&"ssl") {
        main.push_str("Listen 443\n");
    }
    let mpm = format!("mpm_{mpm}");
    for module in [&mpm[..], "authz_core"].iter().chain(modules) {
        let file = format!("/usr/lib/apache2/modules/mod_{module}.so");
        assert!(
            Path::new(&file).exists(),
            "{file} is missing; install all that the tests need: sh tests/install-tools.sh"
        );
        main.push_str(&format!("LoadModule {module}_module {file}\n"));
    }
    main.push_str(MAIN);
    if modules.contains(&"fcgid") {
        servers_directory("/run/apache2/fcgid");
        main.push_str("FcgidIPCDir /run/apache2/fcgid\n");
        main.push_str("FcgidProcessTableFile /run/apache2/fcgid/shm\n");
    }
    write(Path::new("/etc/apache2/apache2.conf"), main);
    fs::create_dir_all("/run/apache2").expect("mkdir");
    servers_directory("/var/log/apache2");
    let apache = || {
        let mut command = command("apache2");
        command.env("APACHE_LOG_DIR", "/var/log/apache2");
        command
    };
    run(apache().arg("-t"));
    Process::start(world.sandbox, apache().arg("-DFOREGROUND")).wait_until(|| listens(HTTP))
}
