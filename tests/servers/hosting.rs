//! Shared hosting: one uploaded program with contrib's `.htaccess`, as a user without rights. The
//! hoster runs Apache with suEXEC and allows only `FileInfo` in `.htaccess`; the account has other
//! sites in the same folder, above and beside it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

use super::apache::{clear, start, suexec_account};
use super::{HTTP, listens, local};
use crate::common::http::{self, Request, Response};
use crate::common::namespace::{Namespace, PROGRAM, debian_11};
use crate::common::{
    Process, Sandbox, command, copy_program, program, run, source, wait_until_settled, write,
    write_program,
};

/// The home of the account.
const HOME: &str = "/var/www/account";
/// The web root of its main domain.
const MAIN: &str = "/var/www/account/public_html";
/// The web root of a second domain, which is within that of the first.
const ADDON: &str = "/var/www/account/public_html/addon";
/// The web root of a host name beside that of the main domain.
const BESIDE: &str = "/var/www/account/autoconfig.example.com";

/// A document at each kind of path.
const DOCUMENTS: [&str; 5] = [
    "/mail/config-v1.1.xml?emailaddress=ann@example.org",
    "/.well-known/autoconfig/mail/config-v1.1.xml",
    "/Autodiscover/Autodiscover.xml",
    "/autodiscover/autodiscover.json/v1.0/ann@example.org?Protocol=AutodiscoverV1",
    "/mobileconfig?emailaddress=ann@example.org",
];
const DOCUMENT: &str = DOCUMENTS[0];

const CONFIG: &str = "[domain.'example.org']\n[domain.'example.net']\n[domain.'example.com']\n";

/// The rules that WordPress writes.
const WORDPRESS: &str = "\
# BEGIN WordPress
<IfModule mod_rewrite.c>
RewriteEngine On
RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]
RewriteBase /
RewriteRule ^index\\.php$ - [L]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule . /index.php [L]
</IfModule>
# END WordPress
";

/// How the hoster runs programs: the kind of processes, the module, and what users may set.
#[derive(Clone, Copy, Debug)]
struct Hoster {
    mpm: &'static str,
    /// `none` for no CGI.
    module: &'static str,
    options: &'static str,
    allow_override: &'static str,
    /// Further lines of its configuration.
    sites: &'static str,
}

const CGID: Hoster = Hoster {
    mpm: "event",
    module: "cgid",
    options: "-Indexes +ExecCGI +SymLinksIfOwnerMatch",
    allow_override: "FileInfo",
    sites: "",
};
const CGI: Hoster = Hoster { mpm: "prefork", module: "cgi", ..CGID };
const FCGID: Hoster = Hoster { module: "fcgid", ..CGID };

impl Hoster {
    /// contrib's file, with the handler of this hoster.
    fn htaccess(self) -> String {
        let file = fs::read_to_string(source("contrib/apache/htaccess")).expect("htaccess");
        match self.module {
            "fcgid" => file.replace("AddHandler cgi-script", "AddHandler fcgid-script"),
            _ => file,
        }
    }

    /// Uploads the program, `.htaccess` and a configuration into a folder.
    fn upload(self, folder: &str) {
        let folder = Path::new(folder);
        write(&folder.join(".htaccess"), self.htaccess());
        write(&folder.join("mailsetup.toml"), CONFIG);
        copy_program(PROGRAM, &folder.join("mailsetup.cgi"));
        set_mode(&folder.join("mailsetup.cgi"), 0o755);
        // Only the account can read it: the program does not run as the web server's user.
        set_mode(&folder.join("mailsetup.toml"), 0o600);
        own(HOME);
    }

    /// Starts PHP and the web server.
    fn start(self, world: &Namespace) -> Vec<Process> {
        clear();
        suexec_account();
        own(HOME);
        let Hoster { options, allow_override, sites: further, .. } = self;
        let site = |names: &str, root: &str| {
            format!(
                "<VirtualHost *:80>
                    ServerName {names}
                    DocumentRoot {root}
                    SuexecUserGroup account account
                    ProxyFCGIBackendType GENERIC
                    <FilesMatch \"\\.php$\">
                        SetHandler \"proxy:fcgi://127.0.0.1:9000\"
                    </FilesMatch>
                </VirtualHost>\n"
            )
        };
        let main = "example.org\nServerAlias www.example.org autoconfig.example.org \
                    autodiscover.example.org";
        let sites = format!(
            "DirectoryIndex index.php index.html
            UserDir public_html
            {further}
            <Directory {HOME}>
                Options {options}
                AllowOverride {allow_override}
            </Directory>\n"
        ) + &site(main, MAIN)
            + &site("example.net\nServerAlias autoconfig.example.net", ADDON)
            + &site("autoconfig.example.com", BESIDE);
        write(Path::new("/etc/apache2/sites-enabled/000-default.conf"), sites);
        let mut modules =
            vec!["alias", "dir", "mime", "proxy", "proxy_fcgi", "rewrite", "suexec", "userdir"];
        modules.extend(Some(self.module).filter(|module| *module != "none"));
        let mut php = command("php-cgi");
        php.args(["-b", "127.0.0.1:9000"]).stdin(Stdio::null());
        let php = Process::start(world.sandbox, &mut php).wait_until(|| listens(local(9000)));
        vec![php, start(world, self.mpm, &modules)]
    }
}

/// For the conformance suite: its configuration beside the program, in each web root.
pub fn suexec(world: &Namespace) -> Vec<Process> {
    sites();
    let config = Path::new("/etc/mailsetup/config.toml");
    let text = fs::read_to_string(config).expect("the configuration");
    fs::remove_file(config).expect("remove");
    for folder in [MAIN, ADDON, BESIDE] {
        CGID.upload(folder);
        let config = Path::new(folder).join("mailsetup.toml");
        write(&config, &text);
        set_mode(&config, 0o600);
    }
    CGID.start(world)
}

/// Gives everything below to the account, with the modes that it has.
fn own(path: &str) {
    run(command("chown").args(["-R", "2000:2000", path]));
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

/// Folders and files of the account's sites: WordPress in the main one.
fn sites() {
    for folder in [MAIN, ADDON, BESIDE] {
        write(&Path::new(folder).join("hello.txt"), format!("hello from {folder}\n"));
    }
    let index = "<?php header('Status: 200'); echo 'WordPress ' . $_SERVER['REQUEST_URI'];";
    write(&Path::new(MAIN).join("index.php"), index);
}

/// Starts the hoster's servers for an account with `upload`, and runs the test.
fn world(hoster: Hoster, upload: impl FnOnce() + Send, test: impl FnOnce() + Send) {
    Namespace::run(|world| {
        sites();
        upload();
        let _servers = hoster.start(world);
        test();
    });
}

fn get(host: &str, target: &str) -> Response {
    let request = Request::get(target).host(host);
    http::send(HTTP, &request).unwrap_or_else(|err| panic!("{host}{target}: {err}"))
}

fn status(host: &str, target: &str) -> u16 {
    get(host, target).status
}

/// Every document is served on this host.
fn documents(host: &str, about: impl std::fmt::Debug) {
    for target in DOCUMENTS {
        let answer = get(host, target);
        assert_eq!(answer.status, 200, "{host}{target}, {about:?}: {}", answer.text());
        assert!(answer.text().contains("example."), "{host}{target}: {}", answer.text());
    }
}

fn is_page(answer: &Response) -> bool {
    answer.status == 200 && answer.header("Content-Security-Policy").is_some()
}

/// In the web root of the main domain, and of a host name beside it, above an addon domain.
#[test]
fn one_program_and_htaccess_are_enough() {
    for hoster in [CGI, CGID, FCGID] {
        let upload = || [MAIN, BESIDE].into_iter().for_each(|folder| hoster.upload(folder));
        world(hoster, upload, || {
            wait_until_settled(&Path::new(MAIN).join("mailsetup.toml"));
            let hosts = [
                "autoconfig.example.org",
                "autodiscover.example.org",
                "www.example.org",
                "example.org",
            ];
            for host in hosts.into_iter().chain(["autoconfig.example.com"]) {
                documents(host, hoster);
                assert_eq!(status(host, "/mailsetup.toml"), 404, "{host}");
                assert_eq!(status(host, "/hello.txt"), 200, "{host}");
            }
            for host in
                ["autoconfig.example.org", "AutoDiscover.example.org", "autoconfig.example.com"]
            {
                assert!(is_page(&get(host, "/")), "{host}");
                assert!(is_page(&get(host, "/?emailaddress=ann@example.org")), "{host}");
            }
            // The main site keeps its own.
            for host in ["www.example.org", "example.org"] {
                assert_eq!(get(host, "/").text(), "WordPress /", "{host}");
            }
            // The addon domain has no program of its own: its paths are not those of the folder
            // above, but what is hidden there is hidden here.
            assert_eq!(status("autoconfig.example.net", DOCUMENT), 404);
            write(&Path::new(ADDON).join("mailsetup.toml~"), CONFIG);
            assert_eq!(status("example.net", "/mailsetup.toml~"), 404);
            assert_eq!(status("example.net", "/hello.txt"), 200);
        });
    }
}

#[test]
fn an_addon_domain_has_its_own_copy() {
    world(
        CGID,
        || CGID.upload(ADDON),
        || {
            // WordPress's rules above are not used in a folder that has its own.
            write(&Path::new(MAIN).join(".htaccess"), WORDPRESS);
            documents("autoconfig.example.net", "addon");
            documents("example.net", "addon");
            assert!(is_page(&get("autoconfig.example.net", "/")));
            assert_eq!(status("example.net", "/mailsetup.toml"), 404);
            assert_eq!(get("www.example.org", "/a/b").text(), "WordPress /a/b");
        },
    );
}

#[test]
fn a_front_controller_in_the_same_folder_keeps_its_paths() {
    for hoster in [CGI, CGID, FCGID] {
        let merged = |first: &str, second: &str| {
            write(&Path::new(MAIN).join(".htaccess"), format!("{first}\n{second}"));
        };
        let upload = || {
            hoster.upload(MAIN);
            merged(&hoster.htaccess(), WORDPRESS);
        };
        world(hoster, upload, || {
            for host in ["www.example.org", "autoconfig.example.org", "autodiscover.example.org"] {
                documents(host, hoster);
                assert_eq!(get(host, "/mail/").text(), "WordPress /mail/", "{host}");
                assert_eq!(status(host, "/mailsetup.toml"), 404, "{host}");
            }
            for path in ["/", "/2026/11/a-post/", "/?p=1", "/wp-json/wp/v2/posts"] {
                assert_eq!(get("www.example.org", path).text(), format!("WordPress {path}"));
            }
            assert!(is_page(&get("autoconfig.example.org", "/")));
            assert!(get("www.example.org", "/hello.txt").text().starts_with("hello"));
            // The other way round, WordPress takes every path.
            merged(WORDPRESS, &hoster.htaccess());
            assert!(get("www.example.org", DOCUMENT).text().starts_with("WordPress"));
        });
    }
}

/// No client asks below `/~account/`, where the same files are on the host of the server.
#[test]
fn the_folder_of_a_user_shows_nothing() {
    world(
        CGID,
        || CGID.upload(MAIN),
        || {
            for path in [DOCUMENT, "/mailsetup.toml", "/mailsetup.toml~", "/mailsetup.cgi"] {
                assert_eq!(status("server.example", &format!("/~account{path}")), 404, "{path}");
            }
            assert_eq!(status("server.example", "/~account/hello.txt"), 200);
            documents("autoconfig.example.org", "beside it");
        },
    );
}

/// docs/shared-hosting.md: where a hoster runs programs in one folder only.
#[test]
fn the_program_in_cgi_bin() {
    let hoster = Hoster { options: "-Indexes -ExecCGI +SymLinksIfOwnerMatch", ..CGID };
    // Within the web root, as Plesk has it, and outside of it.
    for folder in [format!("{MAIN}/cgi-bin"), format!("{HOME}/cgi-bin")] {
        let upload = || {
            hoster.upload(MAIN);
            fs::create_dir(&folder).expect("mkdir");
            for name in ["mailsetup.cgi", "mailsetup.toml"] {
                fs::rename(Path::new(MAIN).join(name), Path::new(&folder).join(name))
                    .expect("rename");
            }
            let rules = hoster.htaccess().replace(" mailsetup.cgi [", " cgi-bin/mailsetup.cgi [");
            assert_eq!(rules.matches("cgi-bin/").count(), 2);
            write(&Path::new(MAIN).join(".htaccess"), rules + WORDPRESS);
            let alias = format!("ScriptAlias /cgi-bin/ {folder}/\n");
            write(Path::new("/etc/apache2/cgi-bin.conf"), alias);
            own(HOME);
        };
        let hoster = Hoster { sites: "Include cgi-bin.conf", ..hoster };
        world(hoster, upload, || {
            for host in ["autoconfig.example.org", "www.example.org"] {
                documents(host, &folder);
                for path in ["/cgi-bin/mailsetup.toml", "/cgi-bin/mailsetup.toml~"] {
                    let answer = get(host, path);
                    assert_ne!(answer.status, 200, "{path} of {folder}: {}", answer.text());
                }
            }
            assert!(is_page(&get("autoconfig.example.org", "/")));
            assert_eq!(get("www.example.org", "/").text(), "WordPress /");
        });
    }
}

/// Without a shell, the log of the web server is where the reason is.
#[test]
fn an_error_in_the_configuration_is_in_the_log_only() {
    for hoster in [CGI, CGID] {
        let upload = || {
            hoster.upload(MAIN);
            write(&Path::new(MAIN).join("mailsetup.toml"), "imap.host = 'internal_name'\n");
            own(HOME);
        };
        world(hoster, upload, || {
            wait_until_settled(&Path::new(MAIN).join("mailsetup.toml"));
            let answer = get("autoconfig.example.org", DOCUMENT);
            assert_eq!(answer.status, 500, "{}", answer.text());
            let text = "the configuration has errors; see the error log of the web server";
            assert_eq!(answer.text().trim_end(), text);
            let log = fs::read_to_string("/var/log/apache2/error.log").expect("the log");
            assert!(log.contains("mailsetup.toml:1:13: ") && log.contains("[host-name]"), "{log}");
        });
    }
}

/// A host that reads no `.htaccess`: that is why the user tests that the configuration is hidden.
#[test]
fn without_htaccess_everything_is_shown() {
    let hoster = Hoster { allow_override: "None", ..CGID };
    let upload = || {
        hoster.upload(MAIN);
        set_mode(&Path::new(MAIN).join("mailsetup.toml"), 0o644);
    };
    world(hoster, upload, || {
        assert_eq!(status("autoconfig.example.org", DOCUMENT), 404);
        assert!(get("autoconfig.example.org", "/mailsetup.toml").text().contains("[domain"));
    });
}

//------------ The archive -----------------------------------------------------

/// The archive of `make hosting` around a program.
fn archive(program: &Path, to: &Path) -> std::process::Output {
    let mut pack = command("python3");
    pack.arg(source("packaging/hosting.py")).arg(program).arg(to);
    pack.output().expect("python3")
}

/// The same around a program with libraries.
fn pack(program: &Path, to: &Path) {
    let mut pack = command("python3");
    pack.env("ANY_PROGRAM", "1").arg(source("packaging/hosting.py"));
    run(pack.arg(program).arg(to));
}

#[test]
fn the_archive_has_the_same_bytes_each_time() {
    let sandbox = Sandbox::new();
    let paths = ["a.zip", "b.zip"].map(|name| sandbox.path(name));
    paths.iter().for_each(|path| pack(Path::new("/bin/true"), path));
    let [first, second] = paths.map(|path| fs::read(path).expect("an archive"));
    assert!(first == second);
}

/// Unpacked by the user as it is, beside nothing else.
#[test]
fn the_archive_unpacked_in_the_web_root_answers() {
    let unpack = || {
        let sandbox = Sandbox::new();
        let [small, zip] = ["mailsetup", "a.zip"].map(|name| sandbox.path(name));
        run(command("strip").arg("-o").arg(&small).arg(PROGRAM));
        pack(&small, &zip);
        own(HOME);
        let mut unzip = command("unzip");
        run(unzip.args(["-q", "-d", MAIN]).arg(zip).uid(2000).gid(2000));
    };
    world(CGID, unpack, || {
        // A configuration might still be on its way.
        assert_eq!(status("autoconfig.example.org", DOCUMENT), 503);
        wait_until_settled(Path::new(MAIN));
        documents("autoconfig.example.org", "the archive");
        assert!(is_page(&get("autoconfig.example.org", "/")));
        let entries = fs::read_dir(MAIN).expect("the web root");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
        let ours: Vec<_> = names.flatten().filter(|name| name.starts_with("mailsetup.")).collect();
        assert_eq!(ours.len(), 5, "{ours:?}");
        for name in ours.iter().map(String::as_str).chain([".htaccess"]) {
            let status = status("autoconfig.example.org", &format!("/{name}"));
            assert!([403, 404].contains(&status), "{name}: {status}");
        }
        // The example is a configuration, with the defaults.
        let example = Path::new(MAIN).join("mailsetup.example.toml");
        fs::rename(example, Path::new(MAIN).join("mailsetup.toml")).expect("rename");
        wait_until_settled(&Path::new(MAIN).join("mailsetup.toml"));
        documents("autoconfig.example.org", "the example");
        assert!(checked().contains("no errors, no warnings"), "{}", checked());
        // The new program replaces the old one in one step.
        let new = Path::new(MAIN).join("mailsetup.new");
        copy_program(PROGRAM, &new);
        set_mode(&new, 0o755);
        own(HOME);
        assert_eq!(status("autoconfig.example.org", "/mailsetup.new"), 404);
        fs::rename(new, Path::new(MAIN).join("mailsetup.cgi")).expect("rename");
        documents("autoconfig.example.org", "the new program");
    });
}

#[test]
fn a_program_with_libraries_is_not_packed() {
    let sandbox = Sandbox::new();
    for (program, reason) in
        [("/bin/true", "make static"), ("/etc/passwd", "not a program for Linux")]
    {
        let output = archive(Path::new(program), &sandbox.path("a.zip"));
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains(reason), "{message}");
        assert!(!sandbox.path("a.zip").exists());
    }
}

//------------ An old system ---------------------------------------------------

/// Its C library is older than the one that the usual program needs.
#[test]
#[ignore = "needs the static program and a root with Debian 11: make test-hosting"]
fn on_debian_11() {
    for hoster in [CGI, CGID, FCGID] {
        Namespace::run_on_debian_11(|world| {
            let version = fs::read_to_string(debian_11().join("etc/debian_version"));
            assert!(version.expect("debian_version").starts_with("11."));
            sites();
            hoster.upload(MAIN);
            let _servers = hoster.start(world);
            documents("autoconfig.example.org", hoster);
            assert!(is_page(&get("autoconfig.example.org", "/")));
            assert_eq!(get("www.example.org", "/").text(), "WordPress /");
            for name in ["mailsetup.toml", "mailsetup.toml~", "mailsetup.cgi", "profile.key"] {
                assert_eq!(status("www.example.org", &format!("/{name}")), 404, "{name}");
            }
            assert!(checked().contains("no errors, no warnings"), "{}", checked());
            set_mode(Path::new(MAIN), 0o777);
            assert!(checked().contains("[cgi-folder-mode]"), "{}", checked());
        });
    }
}

/// No library, no interpreter, no file of a system.
#[test]
#[ignore = "needs the static program: make test-hosting"]
fn the_static_program_is_alone_in_its_root() {
    let program = program();
    let headers =
        run(command("readelf").args(["--wide", "--program-headers", "--dynamic"]).arg(&program));
    for word in ["INTERP", "NEEDED"] {
        assert!(!headers.contains(word), "{word}: {headers}");
    }
    assert!(archive(&program, &Sandbox::new().path("a.zip")).status.success());
    let sandbox = Sandbox::new();
    let root = sandbox.path("root");
    fs::create_dir(&root).expect("mkdir");
    copy_program(&program, &root.join("mailsetup.cgi"));
    write(&root.join("mailsetup.toml"), CONFIG);
    wait_until_settled(&root.join("mailsetup.toml"));
    // The search path is removed, too. Called by its path, or as by suEXEC in its folder.
    let inside = |called| {
        let mut inside = command("/usr/sbin/chroot");
        inside.env_clear().env("PATH", "").arg("--userspec=2000:2000").arg(&root).arg(called);
        inside
    };
    assert!(
        run(inside("/mailsetup.cgi").args(["show", "ann@example.org"]))
            .contains("mail.example.org")
    );
    assert!(run(inside("./mailsetup.cgi").arg("check")).contains("3 domains"));
    let request = [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", DOCUMENT),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("HTTP_HOST", "autoconfig.example.org"),
    ];
    let answer = run(inside("./mailsetup.cgi").envs(request));
    assert!(answer.contains("<clientConfig") && !answer.contains("Status: 5"), "{answer}");
    let mut left: Vec<_> = fs::read_dir(&root).expect("the root").flatten().collect();
    left.retain(|entry| entry.file_name().to_string_lossy() != "mailsetup.toml");
    assert_eq!(left.len(), 1, "{left:?}");
}

//------------ What suEXEC refuses ---------------------------------------------

/// What `check` prints for the account, by a program outside of the web folder.
fn checked() -> String {
    let config = format!("{MAIN}/mailsetup.toml");
    let mut check = command(PROGRAM);
    check.args(["check", "--config", &config]).uid(2000).gid(2000);
    String::from_utf8(check.output().expect("the program").stdout).expect("UTF-8")
}

/// suEXEC refuses what others than the account could change. Its log has the reason, which only
/// the hoster can read. `check` says so before.
#[test]
fn suexec_needs_mode_755_and_the_owner() {
    for hoster in [CGI, CGID, FCGID] {
        world(
            hoster,
            || hoster.upload(MAIN),
            || {
                let folder = Path::new(MAIN);
                let program = folder.join("mailsetup.cgi");
                let refused = [
                    (&*program, 0o775),
                    (&program, 0o777),
                    (&program, 0o757),
                    (&program, 0o644),
                    (&program, 0o4755),
                    (folder, 0o775),
                    (folder, 0o777),
                ];
                // mod_fcgid tries again for seconds before it gives up.
                let count = if hoster.module == "fcgid" { 1 } else { refused.len() };
                for (path, mode) in refused.into_iter().take(count) {
                    set_mode(path, mode);
                    let answer = get("autoconfig.example.org", DOCUMENT);
                    let about = format!("{mode:o} {} with {}", path.display(), hoster.module);
                    assert_eq!(answer.status, 500, "{about}");
                    assert!(checked().contains("cgi-"), "{about}: {}", checked());
                    set_mode(path, 0o755);
                }
                for path in [&*program, folder].into_iter().take(count) {
                    chown(path, Some(0), Some(0)).expect("chown");
                    assert_eq!(
                        status("autoconfig.example.org", DOCUMENT),
                        500,
                        "{}",
                        path.display()
                    );
                    chown(path, Some(2000), Some(2000)).expect("chown");
                }
                // A program that runs already, by mod_fcgid, is not checked again.
                for mode in [0o755, 0o700, 0o711, 0o555] {
                    set_mode(&program, mode);
                    assert_eq!(status("autoconfig.example.org", DOCUMENT), 200, "{mode:o}");
                    assert!(checked().contains("no errors, no warnings"), "{}", checked());
                }
            },
        );
    }
}

//------------ CGI is disabled ---------------------------------------------------

#[test]
fn without_exec_cgi_nothing_runs_and_nothing_is_shown() {
    let hoster = Hoster { options: "-Indexes -ExecCGI +SymLinksIfOwnerMatch", ..CGID };
    let add_options = || {
        let path = Path::new(MAIN).join(".htaccess");
        write(&path, CGID.htaccess() + "Options +ExecCGI\n");
    };
    world(
        hoster,
        || hoster.upload(MAIN),
        || {
            let answer = get("autoconfig.example.org", DOCUMENT);
            assert_eq!(answer.status, 403, "{}", answer.text());
            assert_eq!(status("autoconfig.example.org", "/mailsetup.toml"), 404);
            // The line from the comment, where the hoster does not allow it.
            add_options();
            assert_eq!(status("autoconfig.example.org", DOCUMENT), 500);
            assert_eq!(status("autoconfig.example.org", "/hello.txt"), 500);
        },
    );
    let hoster = Hoster { allow_override: "FileInfo Options", ..hoster };
    world(
        hoster,
        || hoster.upload(MAIN),
        || {
            add_options();
            documents("autoconfig.example.org", hoster);
        },
    );
}

/// mod_rewrite needs one of the two options for links.
#[test]
fn without_links_nothing_runs() {
    let hoster = Hoster { options: "+ExecCGI -FollowSymLinks -SymLinksIfOwnerMatch", ..CGID };
    world(
        hoster,
        || hoster.upload(MAIN),
        || {
            assert_eq!(status("autoconfig.example.org", DOCUMENT), 403);
            assert_eq!(status("autoconfig.example.org", "/mailsetup.toml"), 403);
        },
    );
}

/// A build for another processor: the system refuses it like any file that is no program.
#[test]
fn a_program_for_another_processor_is_an_error() {
    world(
        CGID,
        || CGID.upload(MAIN),
        || {
            let program = Path::new(MAIN).join("mailsetup.cgi");
            let mut bytes = fs::read(PROGRAM).expect("the program");
            // The field for the processor in the header of ELF.
            bytes[18] ^= 0x55;
            write_program(&program, bytes);
            own(HOME);
            assert_eq!(status("autoconfig.example.org", DOCUMENT), 500);
            let log = fs::read_to_string("/var/log/apache2/error.log").expect("the log");
            assert!(log.contains("End of script output before headers"), "{log}");
            let log = fs::read_to_string("/var/log/apache2/suexec.log").expect("suEXEC's log");
            assert!(log.contains("Exec format error"), "{log}");
        },
    );
}

/// The program is public and contains no settings. It is sent at the paths of documents, so that
/// the test of the user shows that CGI is missing.
#[test]
fn without_any_cgi_module_only_the_program_is_sent() {
    let hoster = Hoster { module: "none", ..CGID };
    world(
        hoster,
        || hoster.upload(MAIN),
        || {
            assert!(get("autoconfig.example.org", DOCUMENT).body.starts_with(b"\x7fELF"));
            for path in ["/mailsetup.cgi", "/mailsetup.toml", "/mailsetup.toml~"] {
                assert_eq!(status("autoconfig.example.org", path), 404, "{path}");
            }
        },
    );
}

//------------ Hidden files --------------------------------------------------------

/// Names that a file manager, an editor or a person gives to files that nobody may download.
pub(super) const HIDDEN: &[&str] = &[
    "mailsetup.toml",
    "MAILSETUP.TOML",
    "Mailsetup.Toml",
    "mailsetup (1).toml",
    "mailsetup.toml (1)",
    "mailsetup - Copy.toml",
    "Copy of mailsetup.toml",
    "mailsetup.toml - Copy",
    "mailsetup-2026-11-26.toml",
    "mailsetup.toml.2026-11-26",
    "mailsetup.toml~",
    "mailsetup.toml.~1~",
    "mailsetup.toml.bak",
    "mailsetup.toml.bak2",
    "mailsetup.toml.BAK",
    "mailsetup.tomlbak",
    "mailsetup.toml.save",
    "mailsetup.toml.save.1",
    "mailsetup.toml.old",
    "mailsetup.tomlold",
    "mailsetup.toml_old",
    "mailsetup.toml.orig",
    "mailsetup.toml.rej",
    "mailsetup.toml.tmp",
    "mailsetup.toml.swp",
    ".mailsetup.toml.swp",
    ".mailsetup.toml.swo",
    ".mailsetup.toml.un~",
    "mailsetup.toml.1",
    "mailsetup.toml2",
    "mailsetup.toml.txt",
    "mailsetup.toml.gz",
    "mailsetup.toml.zip",
    "mailsetup.toml.part",
    "mailsetup.toml.filepart",
    "mailsetup.toml.new",
    "#mailsetup.toml#",
    ".#mailsetup.toml",
    "mailsetup.txt",
    "mailsetup.bak",
    "mailsetup.zip",
    "mailsetup.tar.gz",
    "mailsetup.new",
    "mailsetup.cgi.old",
    "mailsetup.cgi~",
    "config.bak",
    "settings.old",
    "domains.txt",
    "domains.txt.1",
    "Domains.TXT",
    "domains (1).txt",
    "domains - Copy.txt",
    "Copy of domains.txt",
    "domains-2026-11-26.txt",
    "domains_old.txt",
    "profile.pem",
    "profile.key",
    "profile.key.old",
    "profile.key.txt",
    "profile (1).key",
    "PROFILE.KEY",
    "profile.crt",
    "profile.cer",
    "profile.csr",
    "profile.der",
    "profile.p12",
    "profile.pfx",
];

/// Names of a site that stay visible.
const SHOWN: [&str; 14] = [
    "hello.txt",
    "keys.txt",
    "oldest.html",
    "toml.txt",
    "monkey.html",
    "key.txt",
    "a.newer.html",
    "my-mailsetup.html",
    "mailsetup/index.html",
    "subdomains.txt",
    "film.swf",
    "j.tomlinson.html",
    "ol.keyring.html",
    ".well-known/acme-challenge/abc_DEF-123",
];

#[test]
fn configurations_copies_and_keys_are_not_served() {
    for hoster in [CGI, CGID, FCGID] {
        world(
            hoster,
            || hoster.upload(MAIN),
            || {
                for folder in ["", "domains.d/", "a/b/"] {
                    for name in HIDDEN {
                        let path = Path::new(MAIN).join(folder).join(name);
                        if !path.exists() {
                            write(&path, "secret = 1\n");
                        }
                        let plain =
                            format!("/{folder}{name}").replace('#', "%23").replace(' ', "%20");
                        let last = name.chars().last().expect("a letter");
                        let spelled = plain
                            .strip_suffix(last)
                            .map(|start| format!("{start}%{:02x}", last as u32));
                        let forms = [
                            Some(plain.clone()),
                            spelled,
                            Some(format!("/{plain}")),
                            Some(format!("{plain}/")),
                            Some(format!("{plain}/x")),
                            Some(format!("{plain}/x.html")),
                            Some(format!("{plain}?x")),
                            Some(format!("/x/..{plain}")),
                            Some(plain.replace('.', "%2E")),
                        ];
                        for target in forms.into_iter().flatten() {
                            let answer = get("www.example.org", &target);
                            assert!(
                                [400, 404].contains(&answer.status),
                                "{target} with {}: {}",
                                hoster.module,
                                answer.status
                            );
                            assert!(!answer.text().contains("secret"), "{target}");
                        }
                    }
                }
                for name in SHOWN {
                    write(&Path::new(MAIN).join(name), "the site's");
                    assert_eq!(
                        get("www.example.org", &format!("/{name}")).text(),
                        "the site's",
                        "{name}"
                    );
                }
                // Mailboxes with such names have their settings.
                for name in ["ann.key", "b.toml", "old~", "mailsetup.x", "domains.txt"] {
                    let folder = "/autodiscover/autodiscover.json/v1.0";
                    let target = format!("{folder}/{name}@example.org?Protocol=AutodiscoverV1");
                    assert_eq!(status("autodiscover.example.org", &target), 200, "{name}");
                }
            },
        );
    }
}
