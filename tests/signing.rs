//! Signed Apple profiles, in a build that can sign: the signature verifies, and a pair of
//! certificate and key that cannot sign is reported and never used.

use crate::common::fcgi::{Client, Style};
use crate::common::http::Request;
use crate::common::{Process, Sandbox, cgi, command, program, run, wait_until};
use rustix::fs::{Mode, OFlags};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn run_mailsetup(arguments: &[&str]) -> Output {
    command(program()).args(arguments).output().expect("program")
}

/// A service with `CONFIG`, and its socket.
fn serve(sandbox: &Sandbox) -> (Process, PathBuf) {
    let (socket, config) = (sandbox.path("socket"), sandbox.write("c.toml", CONFIG));
    let mut serve = command(program());
    serve.arg("serve").arg("--config").arg(&config);
    serve.arg("--listen").arg(format!("unix:{}", socket.display()));
    let service =
        Process::start(sandbox, &mut serve).wait_until(|| UnixStream::connect(&socket).is_ok());
    (service, socket)
}

/// Only profiles of named domains are signed.
const NAMED: &str = "[domain.'example.org']\n";

/// A self-signed certificate with its key, in `sandbox`, that expires after `days` days.
fn certificate(sandbox: &Sandbox, name: &str, key: &[&str], days: &str) {
    let path = |end: &str| sandbox.path(&format!("{name}.{end}"));
    let mut request = command("openssl");
    request.args(["req", "-new", "-nodes", "-subj", "/CN=mail.example.org", "-newkey"]).args(key);
    run(request.arg("-keyout").arg(path("key")).arg("-out").arg(path("csr")));
    let mut sign = command("openssl");
    sign.args(["x509", "-req", "-days", days, "-in"])
        .arg(path("csr"))
        .arg("-signkey")
        .arg(path("key"));
    if days == "-1" {
        at("-3d", sign.args(["-days", "2"]));
    }
    run(sign.arg("-out").arg(path("crt")));
}

#[test]
fn a_profile_is_signed_and_verifies() {
    let sandbox = Sandbox::new();
    certificate(&sandbox, "rsa", &["rsa:2048"], "2");
    certificate(&sandbox, "ec", &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], "2");
    let unsigned = run_mailsetup(&["show", "ann@example.org", "--client", "apple"]).stdout;
    for name in ["rsa", "ec"] {
        let text = format!(
            "[apple]\nsigning_certificate = '{name}.crt'\nsigning_key = '{name}.key'\n{NAMED}"
        );
        let config = sandbox.write("c.toml", text);
        let config = config.to_str().expect("UTF-8");
        assert!(run_mailsetup(&["--config", config, "check"]).status.success());
        let signed =
            run_mailsetup(&["--config", config, "show", "ann@example.org", "--client", "apple"])
                .stdout;
        let file = sandbox.write("signed.mobileconfig", signed);
        run(command("openssl")
            .args(["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-in"])
            .arg(&file)
            .arg("-CAfile")
            .arg(sandbox.path(&format!("{name}.crt")))
            .arg("-out")
            .arg(sandbox.path("content")));
        assert_eq!(fs::read(sandbox.path("content")).expect("content"), unsigned);
    }
}

/// `check` reports a pair that cannot sign; the profile is then sent unsigned.
#[test]
fn a_pair_that_cannot_sign_is_never_used() {
    let sandbox = Sandbox::new();
    certificate(&sandbox, "rsa", &["rsa:2048"], "2");
    certificate(&sandbox, "other", &["rsa:2048"], "2");
    certificate(&sandbox, "ed", &["ed25519"], "2");
    certificate(&sandbox, "old", &["rsa:2048"], "-1");
    for (certificate, key, reason) in [
        ("rsa.crt", "other.key", "the key does not belong to the certificate"),
        ("ed.crt", "ed.key", "use RSA or ECDSA"),
        ("rsa.key", "rsa.key", "does not contain a PEM certificate but a key"),
        ("rsa.crt", "rsa.crt", "does not contain a PEM key but a certificate"),
        ("none", "rsa.key", "cannot be read"),
        ("old.crt", "old.key", "the certificate expired on"),
    ] {
        let text = format!(
            "[apple]\nsigning_certificate = '{certificate}'\nsigning_key = '{key}'\n{NAMED}"
        );
        let config = sandbox.write("c.toml", text);
        let config = config.to_str().expect("UTF-8");
        let check = run_mailsetup(&["--config", config, "check"]);
        let report = String::from_utf8_lossy(&check.stdout).into_owned();
        assert!(
            check.status.code() == Some(1) && report.contains(reason),
            "{certificate} {key}: {report}"
        );
        let shown =
            run_mailsetup(&["--config", config, "show", "ann@example.org", "--client", "apple"]);
        assert!(shown.stdout.starts_with(b"<?xml"), "unsigned");
        let stderr = String::from_utf8_lossy(&shown.stderr);
        assert!(stderr.contains("profile sent unsigned: ") && stderr.contains(reason), "{stderr}");
    }
}

const RSA: &[&str] = &["rsa:2048"];
const EC: &[&str] = &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/// Runs a command with another time. An expired certificate cannot be created otherwise: OpenSSL
/// 3.5 refuses an end before the start.
pub fn at<'a>(shift: &str, command: &'a mut Command) -> &'a mut Command {
    let found = fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let mut found = found.map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    let library = found.find(|path| path.exists()).expect("install libfaketime");
    command.env("LD_PRELOAD", library).env("FAKETIME", shift);
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

/// Extensions of a CA, and of a certificate for a web server.
const CA: &str = "basicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n";
const END: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n";

/// A certificate and its key, `NAME.crt` and `NAME.key`, by an issuer that was created before in
/// the same way, or self-signed.
fn issue(sandbox: &Sandbox, name: &str, issuer: &str, key: &[&str], days: &str, extensions: &str) {
    issue_with(sandbox, name, issuer, key, &["-days", days], extensions);
}

fn issue_with(
    sandbox: &Sandbox,
    name: &str,
    issuer: &str,
    key: &[&str],
    options: &[&str],
    extensions: &str,
) {
    let path = |name: &str, end: &str| sandbox.path(&format!("{name}.{end}"));
    let mut request = command("openssl");
    request.args(["req", "-new", "-nodes", "-utf8", "-subj", &format!("/CN={name}"), "-newkey"]);
    request.args(key).arg("-keyout").arg(path(name, "key"));
    run(request.arg("-out").arg(path(name, "csr")));
    let mut sign = command("openssl");
    sign.args(["x509", "-req", "-in"]).arg(path(name, "csr")).arg("-out").arg(path(name, "crt"));
    sign.args(options);
    if options == ["-days", "-1"] {
        at("-3d", sign.args(["-days", "2"]));
    }
    sign.arg("-extfile").arg(sandbox.write("extensions", extensions));
    match name == issuer {
        true => sign.arg("-signkey").arg(path(name, "key")),
        false => sign
            .arg("-CA")
            .arg(path(issuer, "crt"))
            .arg("-CAkey")
            .arg(path(issuer, "key"))
            .arg("-CAcreateserial"),
    };
    run(&mut sign);
}

/// A root, an intermediate and a leaf; `NAME.pem` contains leaf and intermediate, `NAME.key` the
/// key.
fn chain(sandbox: &Sandbox, name: &str) {
    let part = |part: &str| format!("{name}-{part}");
    issue(sandbox, &part("root"), &part("root"), RSA, "2", CA);
    issue(sandbox, &part("between"), &part("root"), RSA, "2", CA);
    issue(sandbox, &part("leaf"), &part("between"), RSA, "2", END);
    let pem = |end: &str| fs::read_to_string(sandbox.path(&part(end))).expect("PEM");
    sandbox.write(&format!("{name}.pem"), pem("leaf.crt") + &pem("between.crt"));
    sandbox.write(&format!("{name}.key"), pem("leaf.key"));
}

/// Verifies a signed profile with only a root trusted, and returns its content.
fn verified(sandbox: &Sandbox, signed: &[u8], root: &Path) -> Result<Vec<u8>, String> {
    let (file, content) = (sandbox.write("signed", signed), sandbox.path("content"));
    let mut verify = command("openssl");
    verify.args(["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-no-CApath"]);
    verify.arg("-in").arg(file).arg("-CAfile").arg(root).arg("-out").arg(&content);
    let output = verify.output().expect("openssl");
    match output.status.success() {
        true => Ok(fs::read(content).expect("content")),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

const CONFIG: &str = "[apple]\nsigning_certificate = 'now.pem'\nsigning_key = 'now.key'\n\
                      [domain.'example.org']\n";

/// A running service signs with the present files, but not with half-written ones.
#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    let sandbox = Sandbox::new();
    chain(&sandbox, "one");
    chain(&sandbox, "two");
    let file = |name: &str| fs::read(sandbox.path(name)).expect(name);
    let put = |name: &str, bytes: &[u8]| {
        // In one step, as ACME clients do.
        let new = sandbox.write(&format!("{name}.new"), bytes);
        fs::rename(new, sandbox.path(name)).expect("rename");
    };
    put("now.pem", &file("one.pem"));
    put("now.key", &file("one.key"));
    let (service, socket) = serve(&sandbox);
    let plain = run_mailsetup(&["show", "ann@example.org", "--client", "apple"]).stdout;
    let ask = || {
        let request = Request::get("/mobileconfig?emailaddress=ann@example.org");
        let mut client = Client::unix(&socket).expect("socket");
        client.send(&request, Style::USUAL).expect("an answer")
    };
    let root = |name: &str| sandbox.path(&format!("{name}-root.crt"));
    let is_signed_by = |name: &str| {
        let answer = ask();
        assert_eq!(answer.header("Content-Type"), Some("application/x-apple-aspen-config"));
        verified(&sandbox, &answer.body, &root(name)) == Ok(plain.clone())
    };
    assert!(is_signed_by("one") && is_signed_by("one"));
    assert!(!is_signed_by("two"));
    let mut damaged = ask().body;
    let at = damaged.windows(9).position(|bytes| bytes == b"IMAP</str").expect("the content");
    damaged[at] = b'J';
    assert!(verified(&sandbox, &damaged, &root("one")).is_err());

    // The certificate is written before its key, and then only half of the key.
    put("now.pem", &file("two.pem"));
    assert!(is_signed_by("one") && is_signed_by("one"));
    assert!(wait_until(|| service.output().contains("does not belong to")));
    put("now.key", &file("two.key")[..500]);
    assert!(wait_until(|| service.output().contains("in the file is truncated")));
    assert!(is_signed_by("one"));
    put("now.key", &file("two.key"));
    assert!(wait_until(|| is_signed_by("two")), "{}", service.output());

    // A broken or expired one never replaces it.
    put("now.pem", b"");
    assert!(wait_until(|| service.output().contains("does not contain a PEM certificate")));
    assert!(is_signed_by("two"));
    certificate(&sandbox, "old", &["rsa:2048"], "-1");
    put("now.pem", &file("old.crt"));
    put("now.key", &file("old.key"));
    assert!(wait_until(|| service.output().contains("the certificate expired on")));
    assert!(is_signed_by("two") && is_signed_by("two"));
    // A new configuration keeps the valid pair, too.
    sandbox.write("c.toml", format!("{CONFIG}[provider]\nname = 'New'\n"));
    let reread = || {
        ask();
        service.output().contains("configuration reloaded")
    };
    assert!(crate::common::wait_until(reread), "{}", service.output());
    let signed = verified(&sandbox, &ask().body, &root("two")).expect("a signature");
    assert!(String::from_utf8_lossy(&signed).contains("New (ann@example.org)"));
    let log = service.output();
    for (reason, times) in [
        ("does not belong to", 1),
        ("in the file is truncated", 1),
        ("does not contain a PEM certificate", 1),
        ("the certificate expired on", 1),
        ("sent unsigned", 0),
    ] {
        assert_eq!(log.matches(reason).count(), times, "{reason} in {log}");
    }
}

/// An expired certificate is not used, which is logged once.
#[test]
fn without_a_good_certificate_profiles_go_out_unsigned() {
    let sandbox = Sandbox::new();
    certificate(&sandbox, "now", &["rsa:2048"], "-1");
    fs::rename(sandbox.path("now.crt"), sandbox.path("now.pem")).expect("rename");
    let (service, socket) = serve(&sandbox);
    for _ in 0..3 {
        let request = Request::get("/mobileconfig?emailaddress=ann@example.org");
        let mut client = Client::unix(&socket).expect("socket");
        let answer = client.send(&request, Style::USUAL).expect("an answer");
        assert!(answer.body.starts_with(b"<?xml"));
    }
    let log = service.output();
    assert_eq!(log.matches("profile sent unsigned").count(), 1, "{log}");
}

#[test]
fn show_can_demand_a_signature() {
    let sandbox = Sandbox::new();
    chain(&sandbox, "now");
    let config = sandbox.write("c.toml", CONFIG);
    let config = config.to_str().expect("UTF-8");
    let show = |config: &str, client: &str| {
        run_mailsetup(&[
            "--config",
            config,
            "show",
            "ann@example.org",
            "--client",
            client,
            "--sign",
        ])
    };
    let signed = show(config, "apple");
    assert!(signed.status.success() && signed.stderr.is_empty());
    verified(&sandbox, &signed.stdout, &sandbox.path("now-root.crt")).expect("a signature");
    let bare = sandbox.write("bare.toml", "log.requests = false\n");
    let missing = sandbox.write("missing.toml", CONFIG.replace("now.key", "none.key"));
    for (config, client, status, reason) in [
        (bare.to_str(), "apple", 1, "apple.signing_key are not set"),
        (missing.to_str(), "apple", 1, "none.key: cannot be read"),
        (Some(config), "all", 2, "--client apple"),
        (Some(config), "outlook", 2, "--client apple"),
    ] {
        let refused = show(config.expect("UTF-8"), client);
        let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(status), "{stderr}");
        assert!(refused.stdout.is_empty() && stderr.contains(reason), "{stderr}");
    }
}

/// With a certificate and no domain named, a profile for any domain was signed with the provider's
/// key; and so was one with any text in a quoted local part.
#[test]
fn nothing_of_a_strangers_choosing_is_signed() {
    let sandbox = Sandbox::new();
    chain(&sandbox, "now");
    sandbox.write("domains.d/file.example.toml", "imap.host = 'mail.file.example'\n");
    sandbox.write("list", "listed.example\n");
    let apple = "[apple]\nsigning_certificate = 'now.pem'\nsigning_key = 'now.key'\n";
    let any = sandbox.write("any.toml", apple);
    let named = format!(
        "{apple}[domains]\nanswer = 'any'\nlist_files = ['list']\ndirectory = 'domains.d'\n\
         [domain.'alias.example']\nalias_of = 'table.example'\n[domain.'table.example']\n\
         [domain.'*.pattern.example']\n"
    );
    sandbox.write("domains.d/*.file.example.toml", "smtp.port = 465\n");
    let named = sandbox.write("named.toml", named);
    let is_signed = |config: &std::path::Path, host: &str, query: &str| {
        let request = Request::get(format!("/mobileconfig{query}")).host(host);
        let environment = [("MAILSETUP_CONFIG", config.as_os_str())];
        let answer = cgi::send(&program(), &request, &environment).expect("an answer");
        assert_eq!(answer.status, 200, "{host} {query}: {}", answer.text());
        !answer.body.starts_with(b"<?xml")
    };
    for (config, host, query, expected) in [
        (&any, "x.example", "?emailaddress=victim@evil.example", false),
        (&any, "evil.example", "", false),
        (&named, "table.example", "?emailaddress=victim@evil.example", false),
        (&named, "autoconfig.evil.example", "", false),
        (&named, "x.example", "?emailaddress=ann@table.example", true),
        (&named, "x.example", "?emailaddress=ann@alias.example", true),
        (&named, "x.example", "?emailaddress=ann@listed.example", true),
        (&named, "x.example", "?emailaddress=ann@file.example", true),
        (&named, "x.example", "?emailaddress=ann@a.pattern.example", true),
        (&named, "x.example", "?emailaddress=ann@a.file.example", true),
        (&named, "x.example", "?emailaddress=ann@pattern.example", false),
        (&named, "autoconfig.table.example", "", true),
        (&named, "x.example", "?emailaddress=%22You+won.+Call+1%22@table.example", false),
    ] {
        assert_eq!(is_signed(config, host, query), expected, "{} {query}", config.display());
    }
}

/// Without a signature, OpenSSL is not initialised, which matters most in a process for one
/// request: it does not even read its configuration.
#[test]
fn openssl_sleeps_until_a_profile_is_signed() {
    let sandbox = Sandbox::new();
    certificate(&sandbox, "c", &["rsa:2048"], "2");
    let config = format!("[apple]\nsigning_certificate = 'c.crt'\nsigning_key = 'c.key'\n{NAMED}");
    let config = sandbox.write("c.toml", config);
    // A reader blocks in open until there is a writer, which the test can detect.
    let trap = sandbox.path("openssl.cnf");
    run(command("mkfifo").arg(&trap));
    let run = |target: &str| {
        let mut program = command(program());
        for (name, value) in cgi::variables(&Request::get(target)) {
            program.env(OsString::from_vec(name), OsString::from_vec(value));
        }
        program.env("MAILSETUP_CONFIG", &config).env("OPENSSL_CONF", &trap);
        program.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("a program")
    };
    for target in ["/mail/config-v1.1.xml?emailaddress=ann@example.org", "/favicon.ico"] {
        let mut child = run(target);
        assert!(wait_until(|| child.try_wait().expect("a child").is_some()), "{target}");
    }
    let mut child = run("/mobileconfig?emailaddress=ann@example.org");
    // Opening it for writing fails as long as there is no reader.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK;
    let is_read = || rustix::fs::open(&trap, flags, Mode::empty()).is_ok();
    assert!(wait_until(is_read), "the trap catches who signs");
    assert!(wait_until(|| child.try_wait().expect("a child").is_some()));
}

//------------ Files that admins have made ------------------------------------

/// Root, intermediate and leaf, another CA, and other contents of files.
struct Files(Sandbox);

impl Files {
    fn new() -> Files {
        let sandbox = Sandbox::new();
        sandbox.write("c.toml", CONFIG);
        issue(&sandbox, "root", "root", EC, "900", CA);
        issue(&sandbox, "between", "root", EC, "900", CA);
        issue(&sandbox, "leaf", "between", EC, "90", END);
        issue(&sandbox, "foreign", "foreign", EC, "900", CA);
        Files(sandbox)
    }

    /// The contents of files, concatenated.
    fn cat(&self, names: &[&str]) -> Vec<u8> {
        names.iter().flat_map(|name| fs::read(self.0.path(name)).expect(name)).collect()
    }

    fn openssl(&self, arguments: &[&str]) {
        run(command("openssl").current_dir(self.0.path("")).args(arguments));
    }

    /// Puts the files in place, in one step as ACME clients do.
    fn put(&self, certificate: &[u8], key: &[u8]) {
        for (name, bytes) in [("now.pem", certificate), ("now.key", key)] {
            let new = self.0.write("new", bytes);
            fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).expect("chmod");
            fs::rename(new, self.0.path(name)).expect("rename");
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        command(program())
            .arg("--config")
            .arg(self.0.path("c.toml"))
            .args(arguments)
            .output()
            .expect("program")
    }

    /// The findings of `check` as JSON; compares them with the text, and expects a failure for
    /// errors.
    fn check(&self) -> Vec<serde_json::Value> {
        let output = self.run(&["check", "--json"]);
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let found = found.as_array().expect("a list").clone();
        let is_bad = found.iter().any(|finding| finding["level"] == "error");
        assert_eq!(output.status.code(), Some(i32::from(is_bad)), "{found:?}");
        let strict = self.run(&["check", "--strict"]);
        assert_eq!(strict.status.code(), Some(i32::from(!found.is_empty())), "{found:?}");
        let text = String::from_utf8_lossy(&strict.stdout).into_owned();
        for finding in &found {
            assert!(text.contains(finding["message"].as_str().expect("text")), "{text}");
        }
        found
    }

    fn profile(&self) -> Vec<u8> {
        self.run(&["show", "ann@example.org", "--client", "apple"]).stdout
    }

    /// The subjects of the certificates that are sent in a signed profile, sorted.
    fn sent(&self, signed: &[u8]) -> Vec<String> {
        let file = self.0.write("sent", signed);
        let mut print = command("openssl");
        print.args(["pkcs7", "-inform", "DER", "-print_certs", "-noout", "-in"]).arg(file);
        let text = run(&mut print);
        let subjects = text.lines().filter_map(|line| line.strip_prefix("subject=CN"));
        // ` = ` until OpenSSL 3.1, then `=`.
        let name = |rest: &str| rest.trim_start_matches([' ', '=']).to_owned();
        let mut subjects: Vec<_> = subjects.map(name).collect();
        subjects.sort();
        subjects
    }
}

fn codes(found: &[serde_json::Value]) -> Vec<&str> {
    found.iter().map(|finding| finding["code"].as_str().expect("a code")).collect()
}

/// `cat cert.pem fullchain.pem > profile.pem`: the file contains the certificate twice, and OpenSSL
/// refuses to put it into a signature twice.
#[test]
fn a_certificate_that_stands_twice_in_its_file_signs() {
    let files = Files::new();
    for names in [
        &["leaf.crt", "between.crt"][..],
        &["leaf.crt", "leaf.crt", "between.crt"],
        &["leaf.crt", "between.crt", "between.crt", "leaf.crt"],
        &["leaf.crt", "between.crt", "root.crt"],
        &["leaf.crt", "between.crt", "root.crt", "leaf.crt", "between.crt", "root.crt"],
    ] {
        files.put(&files.cat(names), &files.cat(&["leaf.key"]));
        assert_eq!(files.check(), Vec::<serde_json::Value>::new(), "{names:?}");
        let signed = files.profile();
        verified(&files.0, &signed, &files.0.path("root.crt")).expect("a signature");
        assert_eq!(files.sent(&signed), ["between", "leaf"], "{names:?}");
    }
}

/// Correct signatures that devices show as "Not Verified" result in a warning.
#[test]
fn what_devices_object_to_is_a_warning() {
    let files = Files::new();
    let make = |name, issuer, options: &[&str], extensions| {
        issue_with(&files.0, name, issuer, EC, options, extensions);
    };
    make("alone", "alone", &["-days", "90"], "subjectAltName=DNS:alone.example\n");
    make("soon", "between", &["-days", "13"], END);
    make("later", "between", &["-days", "15"], END);
    make("ends", "root", &["-days", "13"], CA);
    make("of-ends", "ends", &["-days", "90"], END);
    make("over", "root", &["-days", "-1"], CA);
    make("of-over", "over", &["-days", "90"], END);
    make("sha1", "between", &["-days", "90", "-sha1"], END);
    make("usage", "between", &["-days", "90"], "keyUsage=keyEncipherment\n");
    make("consent", "between", &["-days", "90"], "keyUsage=nonRepudiation\n");
    make("no-ca", "root", &["-days", "90"], "basicConstraints=CA:false\n");
    make("of-no-ca", "no-ca", &["-days", "90"], END);
    make("by-root", "root", &["-days", "90"], END);
    issue(&files.0, "large", "between", &["rsa:4104"], "90", END);
    let day = |days: &str| run(command("date").args(["-u", "-d", days, "+%F"])).trim().to_owned();
    let soon = format!("`soon` expires on {}", day("+13 days"));
    let ends = format!("`ends` expires on {}", day("+13 days"));
    let over = format!("`over` expired on {}", day("-1 day"));
    for (certificates, key, expected) in [
        (&["leaf.crt"][..], "leaf", &[("signing-chain-incomplete", "issuer `between`")][..]),
        (
            &["leaf.crt", "foreign.crt"],
            "leaf",
            &[("signing-chain-incomplete", "issuer `between`"), ("signing-unrelated", "`foreign`")],
        ),
        (
            &["leaf.crt", "root.crt"],
            "leaf",
            &[("signing-chain-incomplete", "issuer `between`"), ("signing-unrelated", "`root`")],
        ),
        (&["alone.crt"], "alone", &[("signing-self-signed", "`alone` is self-signed")]),
        (
            &["alone.crt", "between.crt"],
            "alone",
            &[("signing-self-signed", "`alone`"), ("signing-unrelated", "`between`")],
        ),
        (&["between.crt", "leaf.crt"], "leaf", &[("signing-order", "not in order")]),
        (&["root.crt", "between.crt", "leaf.crt"], "leaf", &[("signing-order", "not in order")]),
        (&["leaf.crt", "root.crt", "between.crt"], "leaf", &[("signing-order", "not in order")]),
        (
            &["leaf.crt", "between.crt", "foreign.crt", "alone.crt"],
            "leaf",
            &[("signing-unrelated", "`foreign` and 1 more")],
        ),
        (&["soon.crt", "between.crt"], "soon", &[("signing-expires", &soon)]),
        (&["later.crt", "between.crt"], "later", &[]),
        (&["of-ends.crt", "ends.crt"], "of-ends", &[("signing-expires", &ends)]),
        (&["of-over.crt", "over.crt"], "of-over", &[("signing-expired", &over)]),
        (&["sha1.crt", "between.crt"], "sha1", &[("signing-weak-hash", "`sha1`")]),
        (&["usage.crt", "between.crt"], "usage", &[("signing-key-usage", "digitalSignature")]),
        (&["consent.crt", "between.crt"], "consent", &[]),
        (&["of-no-ca.crt", "no-ca.crt"], "of-no-ca", &[("signing-chain-refused", "CA")]),
        (&["by-root.crt", "root.crt"], "by-root", &[]),
        (&["large.crt", "between.crt"], "large", &[("signing-key-size", "4104 bits")]),
    ] {
        files.put(&files.cat(certificates), &files.cat(&[&format!("{key}.key")]));
        let found = files.check();
        let expected_codes: Vec<_> = expected.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes(&found), expected_codes, "{certificates:?}: {found:?}");
        for (finding, (_, text)) in found.iter().zip(expected) {
            assert_eq!(finding["level"], "warning");
            assert_eq!(finding["file"], files.0.path("now.pem").to_str().expect("UTF-8"));
            assert!(finding["message"].as_str().expect("text").contains(text), "{finding}");
        }
        let signed = files.profile();
        let sent = files.sent(&signed);
        assert!(sent.iter().any(|name| name == key), "{certificates:?}: {sent:?}");
        assert!(!sent.iter().any(|name| name == "foreign" || name == "root"), "{sent:?}");
        if sent.iter().any(|name| name == "between")
            && !expected_codes.contains(&"signing-key-usage")
        {
            let verified = verified(&files.0, &signed, &files.0.path("root.crt"));
            assert!(verified.is_ok() || key == "sha1", "{certificates:?}: {verified:?}");
        }
    }
}

/// Devices show the common name as the signer; they are the clients that a signature concerns.
#[test]
fn a_certificate_without_a_common_name_is_named() {
    let sandbox = Sandbox::new();
    for (subject, has_name) in [("/O=Nobody", false), ("/O=Nobody/CN=Example", true)] {
        let mut request = command("openssl");
        request
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout"]);
        run(request.arg(sandbox.path("a.key")).arg("-out").arg(sandbox.path("a.crt")));
        let text = "apple = { signing_certificate = 'a.crt', signing_key = 'a.key' }\n";
        let config = sandbox.write("c.toml", text.to_owned() + NAMED);
        let config = config.to_str().expect("UTF-8");
        let found = run_mailsetup(&["--config", config, "check", "--json"]).stdout;
        let found: Vec<serde_json::Value> = serde_json::from_slice(&found).expect("JSON");
        let expected = if has_name {
            &["signing-self-signed"][..]
        } else {
            &["signing-name", "signing-self-signed"]
        };
        assert_eq!(codes(&found), expected, "{subject}");
        for finding in found {
            assert_eq!(finding["clients"].to_string(), "[\"Apple Mail iOS 18.1, macOS 15.1\"]");
        }
    }
}

/// Files with the needed contents in an unusual form.
#[test]
fn usual_accidents_with_pem_files_do_no_harm() {
    let files = Files::new();
    let (good, key) = (files.cat(&["leaf.crt", "between.crt"]), files.cat(&["leaf.key"]));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("PEM");
    files.openssl(&[
        "x509",
        "-in",
        "leaf.crt",
        "-trustout",
        "-addtrust",
        "serverAuth",
        "-out",
        "t",
    ]);
    files.openssl(&["x509", "-in", "leaf.crt", "-text", "-out", "long"]);
    // A renewed one with the same key, added to the file.
    files.openssl(&[
        "x509",
        "-req",
        "-in",
        "leaf.csr",
        "-CA",
        "between.crt",
        "-CAkey",
        "between.key",
        "-days",
        "200",
        "-out",
        "renewed.crt",
    ]);
    files.openssl(&["genpkey", "-algorithm", "ed25519", "-out", "ed.key"]);
    files.openssl(&["ec", "-in", "leaf.key", "-out", "sec1.key"]);
    let body = |pem: &str| pem.lines().filter(|l| !l.starts_with('-')).collect::<String>();
    let one_line = |pem: &[u8], label: &str| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", body(&text(pem)))
    };
    let flat = |name: &str| one_line(&files.cat(&[name]), "CERTIFICATE").into_bytes();
    let lines = |end: &str| text(&good).replace('\n', end).into_bytes();
    let with_key = [&good[..], &key].concat();
    for (what, certificate, key) in [
        ("CRLF", lines("\r\n"), text(&key).replace('\n', "\r\n").into_bytes()),
        ("CR", lines("\r"), key.clone()),
        ("BOM", [b"\xef\xbb\xbf", &good[..]].concat(), [b"\xef\xbb\xbf", &key[..]].concat()),
        ("text between", files.cat(&["long", "c.toml", "between.crt"]), key.clone()),
        ("indented", lines("\n  "), key.clone()),
        ("trusted", files.cat(&["t", "between.crt"]), key.clone()),
        ("one line", [flat("leaf.crt"), flat("between.crt")].join(&b'\n'), key.clone()),
        ("key in one line", good.clone(), one_line(&key, "PRIVATE KEY").into_bytes()),
        ("no line end", good.trim_ascii().to_vec(), key.trim_ascii().to_vec()),
        ("both in both", with_key.clone(), with_key),
        ("no line end between", [good.trim_ascii(), &good].concat(), key.clone()),
        ("several keys", good.clone(), files.cat(&["ed.key", "foreign.key", "leaf.key"])),
        ("parameters before the key", good.clone(), files.cat(&["sec1.key"])),
        ("old and renewed", files.cat(&["leaf.crt", "renewed.crt", "between.crt"]), key.clone()),
    ] {
        files.put(&certificate, &key);
        let found = files.check();
        let is_renewal = what == "old and renewed";
        let expected: &[&str] = if is_renewal { &["signing-order"] } else { &[] };
        assert_eq!(codes(&found), expected, "{what}: {found:?}");
        let signed = files.profile();
        verified(&files.0, &signed, &files.0.path("root.crt")).expect(what);
        assert_eq!(files.sent(&signed), ["between", "leaf"], "{what}");
    }
}

/// Every file with which signing fails is an error of `check` that names the file, and never
/// replaces a pair that signed.
#[test]
fn a_file_with_which_signing_fails_fails_check_and_displaces_nothing() {
    let files = Files::new();
    let cat = |name: &str| files.cat(&[name]);
    let (good, key) = (files.cat(&["leaf.crt", "between.crt"]), cat("leaf.key"));
    for (name, kind) in [
        ("rsa512", &["rsa:512"][..]),
        ("rsa1024", &["rsa:1024"]),
        ("rsa2040", &["rsa:2040"]),
        ("k1", &["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
        ("p224", &["ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"]),
        ("ed", &["ed25519"]),
        ("pss", &["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ] {
        issue(&files.0, name, "between", kind, "90", END);
    }
    issue(&files.0, "old", "between", EC, "-1", END);
    files.openssl(&["pkey", "-in", "leaf.key", "-aes128", "-passout", "pass:x", "-out", "pkcs8"]);
    files.openssl(&["ec", "-in", "leaf.key", "-aes128", "-passout", "pass:x", "-out", "sec1"]);
    files.openssl(&["pkey", "-in", "leaf.key", "-outform", "DER", "-out", "key.der"]);
    files.openssl(&["pkey", "-in", "leaf.key", "-pubout", "-out", "public"]);
    files.openssl(&["x509", "-in", "leaf.crt", "-outform", "DER", "-out", "der"]);
    files.openssl(&[
        "pkcs12", "-export", "-in", "leaf.crt", "-inkey", "leaf.key", "-passout", "pass:x", "-out",
        "p12",
    ]);
    files.openssl(&["crl2pkcs7", "-nocrl", "-certfile", "leaf.crt", "-out", "p7b"]);
    let mut ssh = command("ssh-keygen");
    ssh.args(["-q", "-t", "ecdsa", "-N", "", "-f"]).arg(files.0.path("ssh"));
    let ssh = match ssh.status() {
        Ok(_) => cat("ssh"),
        // Not installed: only the beginning matters.
        Err(_) => b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n"
            .to_vec(),
    };
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(good.iter().flat_map(|&byte| [byte, 0])).collect();
    // Bytes without repetition and without a known format.
    let garbage: Vec<u8> =
        (0..256 * 1024_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u8).collect();
    let damaged = String::from_utf8(good.clone()).expect("PEM").replacen("MII", "AII", 1);
    let of = |name: &str| {
        (files.cat(&[&format!("{name}.crt"), "between.crt"]), cat(&format!("{name}.key")))
    };
    let certificate = |bytes: &[u8]| (bytes.to_vec(), key.clone());
    let with = |bytes: &[u8]| (good.clone(), bytes.to_vec());
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 30].to_vec();
    const CRT: &str = "now.pem";
    const KEY: &str = "now.key";
    let bad = [
        (of("rsa512"), KEY, "signing-key", "512 bits"),
        (of("rsa1024"), KEY, "signing-key", "1024 bits"),
        (of("rsa2040"), KEY, "signing-key", "2040 bits"),
        (of("k1"), KEY, "signing-key", "secp256k1"),
        (of("p224"), KEY, "signing-key", "secp224r1"),
        (of("ed"), KEY, "signing-key", "use RSA or ECDSA"),
        (of("pss"), KEY, "signing-key", "use RSA or ECDSA"),
        (of("old"), CRT, "signing-time", "the certificate expired on"),
        (with(&cat("foreign.key")), KEY, "signing-mismatch", "certificate `leaf`"),
        ((key.clone(), good.clone()), CRT, "signing-certificate", "swapped?"),
        (with(&good), KEY, "signing-key", "swapped?"),
        (with(&cat("pkcs8")), KEY, "signing-key", "a passphrase"),
        (with(&cat("sec1")), KEY, "signing-key", "a passphrase"),
        (with(&cat("key.der")), KEY, "signing-key", "in DER"),
        (with(&cat("public")), KEY, "signing-key", "public key"),
        (with(&ssh), KEY, "signing-key", "OpenSSH"),
        (with(&cat("p12")), KEY, "signing-key", "PKCS#12"),
        (with(&cut(&key)), KEY, "signing-key", "truncated"),
        (with(b""), KEY, "signing-key", "it is empty"),
        (with(&garbage), KEY, "signing-key", "does not contain a PEM key"),
        (with(&vec![b'-'; 2_000_000]), KEY, "signing-unreadable", "larger than 1024 KiB"),
        (with(&key.repeat(20)), KEY, "signing-key", "more than 16 keys"),
        (certificate(&cat("der")), CRT, "signing-certificate", "in DER"),
        (certificate(&cat("p12")), CRT, "signing-certificate", "PKCS#12"),
        (certificate(&cat("p7b")), CRT, "signing-certificate", "PKCS#7"),
        (certificate(&cat("leaf.csr")), CRT, "signing-certificate", "certificate request"),
        (certificate(&utf16), CRT, "signing-certificate", "UTF-16"),
        (certificate(b""), CRT, "signing-certificate", "it is empty"),
        (certificate(&garbage), CRT, "signing-certificate", "does not contain a PEM certificate"),
        (certificate(&cut(&good)), CRT, "signing-certificate", "truncated"),
        (
            certificate(&[cut(&good), good.clone()].concat()),
            CRT,
            "signing-certificate",
            "truncated",
        ),
        (certificate(damaged.as_bytes()), CRT, "signing-certificate", "certificate 1 in the file"),
        (certificate(&good.repeat(2500)), CRT, "signing-unreadable", "larger than 1024 KiB"),
    ];
    files.put(&good, &key);
    let (service, socket) = serve(&files.0);
    let ask = || {
        let request = Request::get("/mobileconfig?emailaddress=ann@example.org");
        let mut client = Client::unix(&socket).expect("socket");
        client.send(&request, Style::USUAL).expect("an answer").body
    };
    let root = files.0.path("root.crt");
    verified(&files.0, &ask(), &root).expect("a signature");
    for ((certificate, key), file, code, reason) in &bad {
        files.put(certificate, key);
        let found = files.check();
        assert_eq!(codes(&found), [*code], "{reason}: {found:?}");
        assert_eq!(found[0]["file"], files.0.path(file).to_str().expect("UTF-8"), "{reason}");
        let message = found[0]["message"].as_str().expect("text");
        assert!(message.contains(reason), "{reason}: {message}");
        // The message has a path only at its beginning.
        assert!(!message.contains('/') || reason.contains('/'), "{message}");
        assert!(files.profile().starts_with(b"<?xml"), "{reason}");
        verified(&files.0, &ask(), &root).expect(reason);
    }
    let is_reported = || service.output().contains("signing with the previous certificate");
    assert!(wait_until(is_reported), "{}", service.output());
    verified(&files.0, &ask(), &root).expect("the last good pair");
    assert!(!service.output().contains("sent unsigned"), "{}", service.output());
}

/// `cat leaf chain > file`: between the two steps the file contains only the leaf, which signs, but
/// devices could not verify the signature.
#[test]
fn a_chain_that_breaks_off_earlier_displaces_nothing() {
    let files = Files::new();
    issue(&files.0, "below", "between", EC, "90", CA);
    issue(&files.0, "deep", "below", EC, "90", END);
    issue(&files.0, "other", "root", EC, "90", CA);
    issue(&files.0, "of-other", "other", EC, "90", END);
    let key = |name: &str| files.cat(&[&format!("{name}.key")]);
    let ask = |socket: &Path| {
        let request = Request::get("/mobileconfig?emailaddress=ann@example.org");
        let mut client = Client::unix(socket).expect("socket");
        files.sent(&client.send(&request, Style::USUAL).expect("an answer").body)
    };
    files.put(&files.cat(&["deep.crt", "below.crt", "between.crt"]), &key("deep"));
    let (service, socket) = serve(&files.0);
    let whole = ["below", "between", "deep"];
    assert_eq!(ask(&socket), whole);
    for (names, leaf, sent) in [
        (&["deep.crt"][..], "deep", &whole[..]),
        // Cut between two certificates; one in place of the other.
        (&["deep.crt", "below.crt"], "deep", &whole),
        (&["deep.crt", "between.crt"], "deep", &whole),
        (&["deep.crt", "foreign.crt"], "deep", &whole),
        (&["of-other.crt"], "of-other", &whole),
        (&["leaf.crt"], "leaf", &whole),
        // Shorter, but up to the same root.
        (&["of-other.crt", "other.crt"], "of-other", &["of-other", "other"]),
        // As long as that one, and below another issuer: it is not a part of it.
        (&["deep.crt", "below.crt"], "deep", &["below", "deep"]),
    ] {
        let refused = || service.output().matches("now.pem: the chain ends earlier").count();
        let before = refused();
        files.put(&files.cat(names), &key(leaf));
        let is_judged = || refused() > before || ask(&socket) == sent && sent != whole;
        assert!(wait_until(is_judged), "{names:?}: {}", service.output());
        assert_eq!(ask(&socket), sent, "{names:?}");
    }
    // A service that starts with it has no other pair.
    files.put(&files.cat(&["leaf.crt"]), &key("leaf"));
    drop(service);
    let _ = fs::remove_file(&socket);
    let (_service, socket) = serve(&files.0);
    assert_eq!(ask(&socket), ["leaf"]);
}

/// A configuration with files that did not sign was refused without the reason, and read again only
/// after a pause that grew to a minute: a corrected certificate had no effect.
#[test]
fn a_newly_named_pair_counts_as_soon_as_it_is_mended() {
    let sandbox = Sandbox::new();
    for name in ["now", "next", "other"] {
        certificate(&sandbox, name, EC, "2");
        fs::rename(sandbox.path(&format!("{name}.crt")), sandbox.path(&format!("{name}.pem")))
            .expect("renamed");
    }
    let (service, socket) = serve(&sandbox);
    let host = |host: &str| format!("imap.host = '{host}'\n{CONFIG}");
    let config = |host: &str| format!("imap.host = '{host}'\n{CONFIG}").replace("now.", "next.");
    let ask = |target: &str| {
        let request = Request::get(target).host("x.invalid");
        let mut client = Client::unix(&socket).expect("a connection");
        client.send(&request, Style::USUAL).expect("an answer")
    };
    let has_host = |host: &str| {
        let answer = ask("/mail/config-v1.1.xml?emailaddress=ann@example.org");
        answer.text().contains(host)
    };
    let is_signed =
        || !ask("/mobileconfig?emailaddress=ann@example.org").body.starts_with(b"<?xml");
    sandbox.write("c.toml", host("zero.invalid"));
    assert!(wait_until(|| has_host("zero.invalid")));
    let key = fs::read(sandbox.path("next.key")).expect("readable");
    fs::copy(sandbox.path("other.key"), sandbox.path("next.key")).expect("copied");
    sandbox.write("c.toml", config("one.invalid"));
    let refused = |reason: &str| {
        let log = service.output();
        log.contains("profiles would no longer be signed") && log.contains(reason)
    };
    assert!(wait_until(|| refused("the key does not belong to")), "{}", service.output());
    // The error lasts until the pause before the next attempt is long.
    std::thread::sleep(Duration::from_secs(15));
    assert!(!has_host("one.invalid") && is_signed());
    sandbox.write("next.key", &key);
    let mended = Instant::now();
    assert!(wait_until(|| has_host("one.invalid")), "{}", service.output());
    assert!(mended.elapsed() < Duration::from_secs(12), "{:?}", mended.elapsed());
    assert!(is_signed());
    // No domain is named any more: no profile would be signed.
    let text = config("two.invalid").replace(NAMED, "[domains]\nanswer = 'any'\n");
    assert!(!text.contains(NAMED.trim()));
    sandbox.write("c.toml", text);
    assert!(wait_until(|| refused("none is configured")), "{}", service.output());
    assert!(has_host("one.invalid") && is_signed());
}

/// A certificate that is not valid yet, is valid, expires soon, and has expired, by the clock.
#[test]
fn the_time_decides_about_a_certificate() {
    let files = Files::new();
    files.put(&files.cat(&["leaf.crt", "between.crt"]), &files.cat(&["leaf.key"]));
    for (shift, code, status) in [
        ("-2d", Some("signing-time"), 1),
        ("+1d", None, 0),
        ("+75d", None, 0),
        ("+77d", Some("signing-expires"), 0),
        ("+89d", Some("signing-expires"), 0),
        ("+91d", Some("signing-time"), 1),
    ] {
        let mut check = command(program());
        at(shift, &mut check);
        check.arg("--config").arg(files.0.path("c.toml")).args(["check", "--json"]);
        let output = check.output().expect("program");
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let found = found.as_array().expect("a list");
        assert_eq!(codes(found), Vec::from_iter(code), "{shift}: {found:?}");
        assert_eq!(output.status.code(), Some(status), "{shift}");
    }
}

/// Names in a certificate may come from an attacker, and are printed to a terminal.
#[test]
fn names_in_certificates_forge_no_line() {
    let files = Files::new();
    let name = "a\u{1b}[1m\u{202e}b";
    issue_with(&files.0, name, name, EC, &["-days", "90"], END);
    let pair = |end: &str| files.cat(&[&format!("{name}.{end}")]);
    files.put(&pair("crt"), &pair("key"));
    let found = files.check();
    assert_eq!(codes(&found), ["signing-self-signed"]);
    let message = found[0]["message"].as_str().expect("text");
    assert!(message.contains("`a<U+001B>[1m<U+202E>b`"), "{message:?}");
}

/// Many further certificates do no harm; if only signatures distinguish issuers, not all of them
/// are tried.
#[test]
fn many_certificates_are_bounded() {
    let files = Files::new();
    let bare = "subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n";
    issue(&files.0, "bare", "between", EC, "90", bare);
    files.0.write("bare", bare);
    files.openssl(&["pkey", "-in", "foreign.key", "-pubout", "-out", "foreign.pub"]);
    let mut bundle = Vec::new();
    // Issuers of the same name, none of which has signed the leaf.
    for number in 0..35 {
        files.openssl(&[
            "x509",
            "-req",
            "-in",
            "between.csr",
            "-signkey",
            "between.key",
            "-force_pubkey",
            "foreign.pub",
            "-set_serial",
            &number.to_string(),
            "-extfile",
            "bare",
            "-out",
            "one.crt",
        ]);
        bundle.extend(files.cat(&["one.crt"]));
    }
    let key = files.cat(&["bare.key"]);
    files.put(&[files.cat(&["bare.crt", "between.crt"]), bundle.clone()].concat(), &key);
    let found = files.check();
    assert_eq!(codes(&found), Vec::<&str>::new());
    assert_eq!(files.sent(&files.profile()), ["bare", "between"]);
    files.put(&[files.cat(&["bare.crt"]), bundle].concat(), &key);
    let found = files.check();
    assert_eq!(codes(&found), ["signing-certificate"], "{found:?}");
    assert!(found[0]["message"].as_str().expect("text").contains("of the same name"));
}
