//! `make install` and `make uninstall`: the installed files, the directory variables, that nothing
//! is built, and that nothing is left.

use crate::common::{Sandbox, command, program, run, source};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Every file below a folder, by its relative path.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("folder") {
            let path = entry.expect("directory entry").path();
            match path.is_dir() && !path.is_symlink() {
                true => folders.push(path),
                false => {
                    found.insert(
                        path.strip_prefix(folder).expect("below").to_string_lossy().into_owned(),
                    );
                }
            }
        }
    }
    found
}

/// The built programs; this one stands in for mailsetup-probe, which is of another package.
fn built() -> [String; 2] {
    ["PROGRAM", "PROBE"].map(|variable| format!("{variable}={}", program().display()))
}

fn make(target: &str, stage: &Path, variables: &[&str]) {
    let mut make = command("make");
    make.arg("-C").arg(source("")).arg(target).arg(format!("DESTDIR={}", stage.display()));
    // A compiler would not be found.
    make.arg("CARGO=false").args(built()).args(variables);
    run(&mut make);
}

#[test]
fn install_places_everything_and_uninstall_removes_it() {
    let sandbox = Sandbox::new();
    let stage = sandbox.path("stage");
    let variables = [
        "prefix=/usr",
        "unitdir=/usr/lib/systemd/system",
        "cgibindir=/usr/lib/cgi-bin",
        "nginxdir=/etc/nginx/snippets",
        "apachedir=/etc/apache2/conf-available",
        "lighttpddir=/etc/lighttpd/conf-available",
    ];
    make("install", &stage, &variables);
    let placed = files(&stage);
    for file in [
        "etc/apache2/conf-available/mailsetup.conf",
        "etc/lighttpd/conf-available/50-mailsetup-fastcgi.conf",
        "etc/lighttpd/conf-available/51-mailsetup-cgi.conf",
        "etc/nginx/snippets/mailsetup.conf",
        "usr/bin/mailsetup",
        "usr/bin/mailsetup-probe",
        "usr/lib/cgi-bin/mailsetup.cgi",
        "usr/lib/systemd/system/mailsetup.service",
        "usr/lib/systemd/system/mailsetup.socket",
        "usr/share/bash-completion/completions/mailsetup",
        "usr/share/bash-completion/completions/mailsetup-probe",
        "usr/share/doc/mailsetup/README.md",
        "usr/share/doc/mailsetup/config.example.toml",
        "usr/share/doc/mailsetup/contrib/apache/htaccess",
        "usr/share/doc/mailsetup/contrib/h2o/mailsetup.conf",
        "usr/share/doc/mailsetup/contrib/haproxy/mailsetup.cfg",
        "usr/share/doc/mailsetup/contrib/nginx/mailsetup.conf",
        "usr/share/doc/mailsetup/contrib/panels/hestia/mailsetup.tpl",
        "usr/share/doc/mailsetup/contrib/selinux/mailsetup.te",
        "usr/share/doc/mailsetup/docs/README.md",
        "usr/share/doc/mailsetup/docs/screenshots/hosting-mode.png",
        "usr/share/fish/vendor_completions.d/mailsetup.fish",
        "usr/share/fish/vendor_completions.d/mailsetup-probe.fish",
        "usr/share/man/man1/mailsetup.1",
        "usr/share/man/man1/mailsetup-probe.1",
        "usr/share/mailsetup/mailsetup.schema.json",
        "usr/share/mailsetup/mailsetup-dns.schema.json",
        "usr/share/mailsetup/mailsetup-probe.schema.json",
        "usr/share/man/man5/mailsetup.toml.5",
        "usr/share/zsh/site-functions/_mailsetup",
        "usr/share/zsh/site-functions/_mailsetup-probe",
    ] {
        assert!(placed.contains(file), "{file} is not among {placed:?}");
    }
    let example = stage.join("usr/share/doc/mailsetup/config.example.toml");
    let example = fs::read_to_string(example).expect("example");
    assert_eq!(
        example.lines().next(),
        Some("#:schema /usr/share/mailsetup/mailsetup.schema.json"),
        "where the schema is placed"
    );
    let link = fs::read_link(stage.join("usr/lib/cgi-bin/mailsetup.cgi")).expect("a link");
    assert_eq!(link, Path::new("/usr/bin/mailsetup"), "no trace of DESTDIR");
    let mode = fs::metadata(stage.join("usr/bin/mailsetup")).expect("program").permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    make("uninstall", &stage, &variables);
    assert_eq!(files(&stage), BTreeSet::new());
}

#[test]
fn units_and_links_follow_the_directories() {
    let sandbox = Sandbox::new();
    let stage = sandbox.path("stage");
    let variables = ["prefix=/opt/mail", "unitdir=/etc/systemd/system", "socketuser=nginx"];
    make("install", &stage, &variables);
    let socket =
        fs::read_to_string(stage.join("etc/systemd/system/mailsetup.socket")).expect("unit");
    assert!(socket.contains("SocketUser=nginx\nSocketGroup=nginx\n"), "{socket}");
    let unit =
        fs::read_to_string(stage.join("etc/systemd/system/mailsetup.service")).expect("unit");
    assert!(unit.contains("ExecStart=/opt/mail/bin/mailsetup\n"), "{unit}");
    assert!(!files(&stage).iter().any(|file| file.ends_with(".cgi")), "no link unless asked for");
}

/// `&` and `|` in a path were taken for what they are in sed, a space for the end of the path.
#[test]
fn directories_are_written_as_they_are() {
    for prefix in ["/opt/a&b", "/opt/a|b", "/opt/a\\1b", "/opt/a/b&&c|d", "/opt/my mail/50% more"] {
        let sandbox = Sandbox::new();
        let stage = sandbox.path("stage");
        let variables = [&*format!("prefix={prefix}"), "unitdir=/units"];
        make("install", &stage, &variables);
        make("install-config", &stage, &variables);
        let read = |path: &str| fs::read_to_string(stage.join(path)).expect(path);
        let unit = read("units/mailsetup.service");
        let in_unit = prefix.replace('\\', "\\\\").replace(' ', "\\s").replace('%', "%%");
        assert!(unit.contains(&format!("\nExecStart={in_unit}/bin/mailsetup\n")), "{unit}");
        let schema = format!("#:schema {prefix}/share/mailsetup/mailsetup.schema.json\n");
        let example = format!("{}/share/doc/mailsetup/config.example.toml", &prefix[1..]);
        for path in [&*example, "etc/mailsetup/config.toml"] {
            assert!(read(path).starts_with(&schema), "{prefix}: {path}");
        }
        make("uninstall", &stage, &variables);
        let left: Vec<_> = files(&stage).into_iter().collect();
        assert_eq!(left, ["etc/mailsetup/config.toml"], "{prefix}");
    }
}

/// The variables and targets of the GNU Coding Standards.
#[test]
fn the_conventions_of_gnu_are_kept() {
    let sandbox = Sandbox::new();
    let stage = sandbox.path("a stage");
    // Prints what it would do, also without a build.
    make("install", &stage, &["--dry-run", "PROGRAM=/nowhere", "PROBE=/nowhere"]);
    assert!(!stage.exists());

    make("installdirs", &stage, &["prefix=/usr"]);
    assert_eq!(files(&stage), BTreeSet::new());
    assert!(stage.join("usr/share/man/man5").is_dir());

    let directories = ["exec_prefix=/e", "datarootdir=/d", "man1dir=/m", "sysconfdir=/s"];
    make("install", &stage, &directories);
    make("install-config", &stage, &directories);
    for file in ["e/bin/mailsetup", "d/man/man5/mailsetup.toml.5", "m/mailsetup.1"] {
        assert!(stage.join(file).exists(), "{file}");
    }
    assert!(stage.join("s/mailsetup/config.toml").exists());
    make("uninstall", &stage, &directories);
    let left: Vec<_> = files(&stage).into_iter().filter(|file| !file.contains("systemd")).collect();
    assert_eq!(left, ["s/mailsetup/config.toml"]);

    let [symbols, stripped] = ["install", "install-strip"].map(|target| {
        make(target, &stage, &["prefix=/usr"]);
        fs::metadata(stage.join("usr/bin/mailsetup")).expect("program").len()
    });
    assert!(stripped < symbols, "{stripped} of {symbols} bytes");

    let log = sandbox.path("log");
    for program in ["INSTALL_PROGRAM", "INSTALL_DATA"] {
        let other = format!("{program}=echo {program} >>'{}';:", log.display());
        make("install", &sandbox.path("other"), &[&other]);
    }
    let log = fs::read_to_string(log).expect("log");
    let count = |program: &str| log.lines().filter(|line| line.starts_with(program)).count();
    assert_eq!(count("INSTALL_PROGRAM"), 2);
    assert!(count("INSTALL_DATA") > 15, "{log}");
}

/// Everybody can read what root has installed with `umask 077`.
#[test]
fn modes_do_not_depend_on_the_umask() {
    let sandbox = Sandbox::new();
    let stage = sandbox.path("stage");
    for target in ["install", "install-config"] {
        let mut under = command("sh");
        under.args(["-c", r#"umask 077 && exec make -C "$@""#, "sh"]).arg(source("")).args([
            target,
            &format!("DESTDIR={}", stage.display()),
            "cgibindir=/usr/lib/cgi-bin",
        ]);
        under.args(built());
        run(&mut under);
    }
    let mut folders = vec![stage];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("folder") {
            let path = entry.expect("entry").path();
            let kind = fs::symlink_metadata(&path).expect("metadata");
            if kind.is_symlink() {
                continue;
            }
            let is_program = path.parent().is_some_and(|folder| folder.ends_with("bin"));
            let runs = kind.is_dir() || is_program;
            let expected = if runs { 0o755 } else { 0o644 };
            assert_eq!(kind.permissions().mode() & 0o7777, expected, "{}", path.display());
            if kind.is_dir() {
                folders.push(path);
            }
        }
    }
}

/// An administrator keeps notes beside the documentation.
#[test]
fn uninstall_keeps_files_of_others() {
    let sandbox = Sandbox::new();
    let stage = sandbox.path("stage");
    make("install", &stage, &[]);
    let others =
        ["usr/local/share/doc/mailsetup/notes", "usr/local/share/doc/mailsetup/contrib/nginx/mine"];
    for other in others {
        fs::write(stage.join(other), "mine").expect("write");
    }
    make("uninstall", &stage, &[]);
    assert_eq!(files(&stage), others.map(str::to_owned).into());
}

#[test]
fn a_configuration_that_is_there_is_never_overwritten() {
    let sandbox = Sandbox::new();
    let stage = sandbox.path("stage");
    make("install-config", &stage, &[]);
    let placed = stage.join("etc/mailsetup/config.toml");
    let example = fs::read_to_string(source("contrib/config.example.toml")).expect("example");
    assert_eq!(fs::read_to_string(&placed).expect("example"), example, "with the default prefix");
    fs::write(&placed, "# mine\n").expect("write");
    make("install-config", &stage, &[]);
    assert_eq!(fs::read_to_string(&placed).expect("mine"), "# mine\n");
    make("uninstall", &stage, &[]);
    assert!(placed.exists());
}

/// An admin's edit of it is kept at an upgrade without a question only if it does not change.
#[test]
fn the_configuration_of_packages_has_no_settings() {
    let config = source("packaging/config.toml");
    let text = fs::read_to_string(&config).expect("configuration");
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    run(command(program()).arg("--config").arg(&config).arg("check"));
    let sandbox = Sandbox::new();
    let stage = sandbox.path("stage");
    make("install-config", &stage, &["prefix=/usr", "config=packaging/config.toml"]);
    let placed = fs::read_to_string(stage.join("etc/mailsetup/config.toml")).expect("placed");
    assert_eq!(placed, text.replace("/usr/local/", "/usr/"));
}

#[test]
fn without_a_build_install_says_what_to_do() {
    let sandbox = Sandbox::new();
    let stage = format!("DESTDIR={}", sandbox.path("stage").display());
    let this = program().display().to_string();
    for (program, probe) in [("/nowhere", &*this), (&*this, "/nowhere")] {
        let mut make = command("make");
        make.arg("-C").arg(source("")).args(["install", &*stage]);
        make.args([format!("PROGRAM={program}"), format!("PROBE={probe}")]);
        let output = make.output().expect("make");
        assert!(!output.status.success());
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("/nowhere is not there: run \"make build\" first"), "{text}");
    }
}

/// Packages carry mailsetup-probe apart; together they have the files of `make install`.
#[test]
fn probe_is_installed_apart_or_left_out() {
    let sandbox = Sandbox::new();
    let [both, without, apart] = ["both", "without", "apart"].map(|name| sandbox.path(name));
    make("install", &both, &["prefix=/usr"]);
    make("install", &without, &["prefix=/usr", "PROBE="]);
    make("install-probe", &apart, &["prefix=/usr"]);
    let (both, without, own) = (files(&both), files(&without), files(&apart));
    assert!(own.contains("usr/bin/mailsetup-probe") && own.is_disjoint(&without), "{own:?}");
    assert_eq!(&without | &own, both);
    // With the same variable, the files of the other package stay.
    make("uninstall", &apart, &["prefix=/usr", "PROBE="]);
    assert_eq!(files(&apart), own);

    let commands = |variables: &[&str]| {
        let mut make = command("make");
        run(make.arg("-n").arg("-C").arg(source("")).arg("build").args(variables))
    };
    // One by one: crates of one command have the features that any of its packages needs.
    for package in ["mailsetup", "mailsetup-probe"] {
        let build = format!("build --release --locked -p {package} ");
        assert_eq!(commands(&[]).matches(&build).count(), 1, "{package}");
    }
    assert!(commands(&["PROBE="]).contains(r#"if [ -n "" ]; then"#));
}

/// Both pack what `make static` has built.
#[test]
fn archives_and_images_have_the_program_of_the_platform() {
    let platform = "TARGET=riscv64gc-unknown-linux-musl";
    for target in ["hosting", "image"] {
        let lines =
            run(command("make").arg("-n").arg("-C").arg(source("")).args([target, platform]));
        assert!(lines.contains("host='riscv64gc-unknown-linux-musl'"), "{target}: {lines}");
    }
}

/// Every target is in the list that `make help` prints.
#[test]
fn help_lists_the_targets() {
    let help = run(command("make").arg("-C").arg(source("")).arg("help"));
    let makefile = fs::read_to_string(source("Makefile")).expect("Makefile");
    let targets =
        makefile.lines().find_map(|line| line.strip_prefix(".PHONY: all ")).expect(".PHONY");
    for target in targets.split(' ') {
        assert!(help.contains(&format!("  {target}: ")), "{target} is not in {help}");
    }
}
