//! `mailsetup names`: the host names that certificates need, and those that certificates lack.

use crate::common::{Sandbox, command, program};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Output, Stdio};

/// Runs `mailsetup names` with a configuration.
fn names(config: &PathBuf, arguments: &[&str]) -> Output {
    let mut names = command(program());
    names.arg("--config").arg(config).arg("names").args(arguments);
    names.output().expect("program")
}

/// Exit status, lines of standard output, standard error.
fn told(output: &Output) -> (i32, Vec<String>, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let lines = text(&output.stdout).lines().map(str::to_owned).collect();
    (output.status.code().expect("a status"), lines, text(&output.stderr))
}

/// The lines of a run that must succeed.
fn lines(config: &PathBuf, arguments: &[&str]) -> Vec<String> {
    let (status, lines, stderr) = told(&names(config, arguments));
    assert_eq!((status, &*stderr), (0, ""), "{arguments:?}");
    lines
}

/// Tables, a list, a folder, an alias, PACC, an international name, and a domain that is there twice.
fn all_sources(sandbox: &Sandbox) -> PathBuf {
    sandbox.write("list", "b.example OK\n*.pattern.example OK\na.example OK\nb\u{fc}cher.example OK\ntable.example OK\n");
    sandbox.write("other", "ann@c.example:\nbob@a.example:\n");
    sandbox.write("domains.d/file.example.toml", "[pacc]\nenabled = true\n");
    sandbox.write("domains.d/a.example.toml", "");
    sandbox.write("domains.d/alias.example.toml", "alias_of = 'file.example'\n");
    sandbox.write("domains.d/NOTES.toml", "not a domain");
    sandbox.write(
        "c.toml",
        "[imap]\nhost = 'mail.host.example'\n[smtp]\nhost = 'mail.host.example'\nport = 465\n\
         [domains]\nlist_files = ['list', 'other']\ndirectory = 'domains.d'\nanswer = 'any'\n\
         [domain.'table.example']\n[domain.'alias2.example']\nalias_of = 'table.example'\n",
    )
}

#[test]
fn names_of_all_exact_domains_are_listed_once() {
    let sandbox = Sandbox::new();
    let config = all_sources(&sandbox);
    let mut expected = Vec::new();
    for (domain, has_pacc) in [
        ("alias2.example", false),
        ("table.example", false),
        ("b.example", false),
        ("a.example", false),
        ("xn--bcher-kva.example", false),
        ("c.example", false),
        ("alias.example", true),
        ("file.example", true),
    ] {
        let pacc = has_pacc.then_some("ua-auto-config");
        let prefixes = ["autoconfig", "autodiscover"].into_iter().chain(pacc);
        expected.extend(prefixes.map(|prefix| format!("{prefix}.{domain}")));
    }
    assert_eq!(lines(&config, &[]), expected);
}

#[test]
fn names_of_given_domains_are_listed_in_each_form() {
    let sandbox = Sandbox::new();
    let config = all_sources(&sandbox);
    let given = ["B.example", "file.example", "b.example"];
    let with = |options: &[&str]| lines(&config, &[options, &given].concat()).join("\n");
    let (b, file) = (
        "autoconfig.b.example autodiscover.b.example",
        "autoconfig.file.example autodiscover.file.example ua-auto-config.file.example",
    );
    let both = format!("{b} {file}");
    let head = "# The arguments of this script are options of each command.\n";
    assert_eq!(with(&[]), both.replace(' ', "\n"));
    assert_eq!(with(&["--format", "lines", "--max-names", "1"]), both.replace(' ', "\n"));
    assert_eq!(with(&["--format", "dehydrated"]), both);
    assert_eq!(with(&["--format", "dehydrated", "--max-names", "4"]), format!("{b}\n{file}"));
    assert_eq!(
        with(&["--format", "certbot"]),
        format!(
            "{head}certbot certonly \"$@\" -n --keep-until-expiring --expand -d {}",
            both.replace(' ', ",")
        )
    );
    assert_eq!(
        with(&["--format", "acme.sh"]),
        format!("{head}acme.sh --issue \"$@\" -d {}", both.replace(' ', " -d "))
    );
    let (b_options, file_options) = (b.replace(' ', " -d "), file.replace(' ', " -d "));
    assert_eq!(
        with(&["--format", "lego", "--max-names", "4"]),
        format!("{head}lego run \"$@\" -d {b_options}\nlego run \"$@\" -d {file_options}")
    );
    assert_eq!(
        with(&["--format", "lego-4", "--max-names", "4"]),
        format!("{head}lego \"$@\" -d {b_options} run\nlego \"$@\" -d {file_options} run")
    );
    let json: serde_json::Value = serde_json::from_str(&with(&["--json"])).expect("JSON");
    let item = |domain: &str, names: &str| serde_json::json!({ "domain": domain, "names": names.split(' ').collect::<Vec<_>>() });
    assert_eq!(json, serde_json::json!([item("b.example", b), item("file.example", file)]));
    // A domain that is answered, but not named, is not listed unless it is asked for.
    assert_eq!(lines(&config, &["other.example"]).len(), 2);
}

#[test]
fn a_certificate_has_whole_domains_and_100_names_at_most() {
    let sandbox = Sandbox::new();
    let list: String = (0..120).map(|number| format!("d{number}.example\n")).collect();
    sandbox.write("list", list);
    sandbox.write("domains.d/pacc.example.toml", "[pacc]\nenabled = true\n[smtp]\nport = 465\n");
    let config =
        sandbox.write("c.toml", "[domains]\nlist_files = ['list']\ndirectory = 'domains.d'\n");
    let groups = lines(&config, &["--format", "dehydrated"]);
    let counts: Vec<_> = groups.iter().map(|line| line.split(' ').count()).collect();
    assert_eq!(counts, [100, 100, 43]);
    let all: Vec<_> = groups.iter().flat_map(|line| line.split(' ')).collect();
    assert_eq!(all, lines(&config, &[]));
    let script = lines(&config, &["--format", "certbot"]);
    assert_eq!(script.len(), 4);
    let groups = lines(&config, &["--format", "dehydrated", "--max-names", "25"]);
    assert!(groups.len() == 11 && groups[0].split(' ').count() == 24, "{groups:?}");
    for most in ["1", "3"] {
        assert_eq!(lines(&config, &["--format", "dehydrated", "--max-names", most]).len(), 121);
    }

    // 97 names and a domain with three of them.
    sandbox.write("list", (0..49).map(|number| format!("d{number}.example\n")).collect::<String>());
    let counts: Vec<_> = lines(&config, &["--format", "dehydrated"])
        .iter()
        .map(|line| line.split(' ').count())
        .collect();
    assert_eq!(counts, [98, 3]);
}

#[test]
fn a_name_that_is_too_long_is_left_out() {
    let sandbox = Sandbox::new();
    let label = "a".repeat(60);
    // 241 octets: `autoconfig.` fits, `autodiscover.` does not.
    let domain = [&*label, &*label, &*label, &"b".repeat(50), "example"].join(".");
    assert_eq!(domain.len(), 241);
    let config = sandbox.write("c.toml", format!("[domain.'{domain}']\n"));
    assert_eq!(lines(&config, &[]), [format!("autoconfig.{domain}")]);
}

#[test]
fn what_cannot_be_listed_is_said() {
    let sandbox = Sandbox::new();
    let none = sandbox.write("none.toml", "");
    let one = sandbox.write("one.toml", "[domain.'example.org']\n");
    let config = sandbox.write("bad.toml", "[domain.'example.org']\n[imap]\nprot = 1\n");
    for (config, arguments, status, message) in [
        (&none, &[][..], 2, "the configuration names no domain"),
        (&one, &["ann@example.org"], 2, "ann@example.org is not a domain name"),
        (&one, &["example.net"], 1, "example.net is not a configured domain"),
        (&one, &["--json", "--format", "lines"], 2, "cannot be used with"),
        (&one, &["--format", "certbott"], 2, "invalid value"),
        (&one, &["--max-names", "0"], 2, "0 is not in 1..="),
        (&config, &[], 1, "prot"),
    ] {
        let (found, lines, stderr) = told(&names(config, arguments));
        assert_eq!((found, lines.len()), (status, 0), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
    assert_eq!(lines(&none, &["example.org"]).len(), 2);
    // The domain of a file with errors is named, too.
    sandbox.write("domains.d/broken.example.toml", "imap = 3\n");
    let folder = sandbox.write("folder.toml", "[domains]\ndirectory = 'domains.d'\n");
    let (status, lines, stderr) = told(&names(&folder, &[]));
    assert_eq!(lines, ["autoconfig.broken.example", "autodiscover.broken.example"]);
    assert!(status == 1 && stderr.contains("cannot be used"), "{stderr}");
}

/// A long list is printed as it is read: the reader of a pipe may stop after the first line.
#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    let sandbox = Sandbox::new();
    let list: String = (0..200_000).map(|number| format!("d{number}.example\n")).collect();
    sandbox.write("list", list);
    let config = sandbox.write("c.toml", "[domains]\nlist_files = ['list']\n");
    for options in [&[][..], &["--json"], &["--format", "certbot"]] {
        let mut command = command(program());
        command.arg("--config").arg(&config).arg("names").args(options);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("program");
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut first).expect("a line");
        drop(stdout);
        let output = child.wait_with_output().expect("an end");
        assert!(!first.is_empty());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{options:?}");
    }
}

/// Makes a certificate with a common name and other names.
#[cfg(feature = "sign")]
fn certificate(sandbox: &Sandbox, file: &str, common: &str, names: &[&str], is_expired: bool) {
    let path = sandbox.path(file);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let mut request = command("openssl");
    request.args(["req", "-x509", "-nodes", "-newkey", "ec", "-days", "10"]);
    request.args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj"]);
    request.arg(format!("/CN={common}")).arg("-keyout").arg(sandbox.path("key"));
    if !names.is_empty() {
        let names: Vec<_> = names.iter().map(|name| format!("DNS:{name}")).collect();
        request.arg("-addext").arg(format!("subjectAltName={}", names.join(",")));
    }
    if is_expired {
        crate::signing::at("-30d", &mut request);
    }
    crate::common::run(request.arg("-out").arg(path));
}

#[cfg(feature = "sign")]
#[test]
fn only_names_that_no_certificate_covers_are_missing() {
    let sandbox = Sandbox::new();
    let config = sandbox.write(
        "c.toml",
        "[domain.'example.org']\n[domain.'a.example.org']\n[domain.'example.net']\n",
    );
    let missing = |files: &[&str]| {
        let paths: Vec<_> = files.iter().map(|file| sandbox.path(file)).collect();
        let options: Vec<_> = paths
            .iter()
            .flat_map(|path| ["--missing-from", path.to_str().expect("UTF-8")])
            .collect();
        told(&names(&config, &options))
    };
    let both =
        |domain: &str| vec![format!("autoconfig.{domain}"), format!("autodiscover.{domain}")];
    let all = [both("a.example.org"), both("example.net"), both("example.org")].concat();
    let san = ["AutoConfig.example.org", "autodiscover.example.org", "mail.example.org"];
    certificate(&sandbox, "san.pem", "autoconfig.example.net", &san, false);
    // The common name does not count beside other names.
    let left = [both("a.example.org"), both("example.net")].concat();
    assert_eq!(missing(&["san.pem"]), (1, left, String::new()));
    // A wildcard is one label.
    certificate(&sandbox, "wildcard.pem", "x", &["*.example.org"], false);
    let left = [both("a.example.org"), both("example.net")].concat();
    assert_eq!(missing(&["wildcard.pem"]), (1, left, String::new()));
    certificate(&sandbox, "common.pem", "autoconfig.example.net", &[], false);
    let left = [both("a.example.org"), vec!["autodiscover.example.net".to_owned()]].concat();
    assert_eq!(missing(&["san.pem", "common.pem"]), (1, left, String::new()));
    // One that has expired is named, unless another one has its names.
    certificate(&sandbox, "old.pem", "old.example.org", &["autoconfig.example.org"], true);
    let (status, lines, stderr) = missing(&["old.pem"]);
    assert_eq!((status, lines), (1, all));
    let message = "old.pem: the certificate `old.example.org` does not count: it expired on ";
    assert!(stderr.starts_with("mailsetup: warning: ") && stderr.contains(message), "{stderr}");
    assert_eq!(missing(&["old.pem", "san.pem"]), missing(&["san.pem"]));

    // A folder as certbot makes it, with several certificates in a file, a key, and other files.
    certificate(&sandbox, "live/one/cert.pem", "x", &["*.a.example.org", "*.example.net"], false);
    certificate(&sandbox, "two.pem", "x", &["autoconfig.example.org"], false);
    let two =
        ["san.pem", "two.pem"].map(|file| std::fs::read_to_string(sandbox.path(file)).unwrap());
    sandbox.write("live/two/fullchain.pem", two.concat());
    sandbox.write("live/two/privkey.pem", "-----BEGIN PRIVATE KEY-----\nbroken\n");
    sandbox.write("live/README", "not a certificate");
    assert_eq!(missing(&["live"]), (0, Vec::new(), String::new()));
    // Nothing is printed in other forms, either.
    let live = sandbox.path("live");
    let options = ["--missing-from", live.to_str().expect("UTF-8"), "--format", "certbot"];
    assert_eq!(told(&names(&config, &options)), (0, Vec::new(), String::new()));
    let options = ["--missing-from", live.to_str().expect("UTF-8"), "--json"];
    assert_eq!(told(&names(&config, &options)), (0, vec!["[]".to_owned()], String::new()));

    sandbox.write(
        "live/three/dh.pem",
        "-----BEGIN DH PARAMETERS-----\nMAo=\n-----END DH PARAMETERS-----\n",
    );
    let (status, _, stderr) = missing(&["live"]);
    assert!(status == 0 && stderr.contains("dh.pem: the file does not contain a PEM"), "{stderr}");
}

/// A link into a folder that was removed, or a damaged file, would keep all other domains from getting
/// certificates.
#[test]
#[cfg(feature = "sign")]
fn a_file_in_a_folder_that_cannot_be_read_is_reported_and_the_others_count() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'example.org']\n");
    sandbox.write("live/bad.pem", "-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n");
    std::os::unix::fs::symlink("/nonexistent", sandbox.path("live/gone.pem")).expect("a link");
    let live = sandbox.path("live");
    let options = ["--missing-from", live.to_str().expect("UTF-8")];
    let (status, lines, stderr) = told(&names(&config, &options));
    assert_eq!((status, lines.len()), (1, 2), "{stderr}");
    for message in
        ["gone.pem cannot be read: No such file", "bad.pem: certificate 1 in the file is"]
    {
        assert!(stderr.contains(message), "{stderr}");
    }
}

#[test]
fn a_certificate_that_cannot_be_read_is_an_error_and_nothing_is_printed() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[domain.'example.org']\n");
    sandbox.write("text.pem", "hello\n");
    sandbox.write("cut.pem", "-----BEGIN CERTIFICATE-----\nMAo=\n");
    sandbox.write("bad.pem", "-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n");
    for (file, message) in [
        ("none.pem", "none.pem cannot be read: No such file or directory"),
        ("text.pem", "text.pem: the file does not contain a PEM certificate"),
        ("cut.pem", "cut.pem: a PEM block in the file is truncated"),
        ("bad.pem", "bad.pem: certificate 1 in the file is damaged"),
    ] {
        let message = match cfg!(feature = "sign") {
            true => message,
            false => "this build cannot read certificates",
        };
        let path = sandbox.path(file);
        let options = ["--missing-from", path.to_str().expect("UTF-8")];
        let (status, lines, stderr) = told(&names(&config, &options));
        assert_eq!((status, lines.len()), (2, 0), "{file}: {stderr}");
        assert!(stderr.contains(message), "{file}: {stderr}");
    }
}
