//! Signed Apple profiles, in a build that can sign: the signature verifies, and a pair of
//! certificate and key that cannot sign is told and never used.

use crate::common::fcgi::{Client, Style};
use crate::common::http::Request;
use crate::common::{Process, Sandbox, cgi, command, program, run, wait_until};
use rustix::fs::{Mode, OFlags};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

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

/// Only profiles of domains that are named are signed.
const NAMED: &str = "[domain.'example.org']\n";

/// A self-signed certificate with its key, in `sandbox`, that ends in so many days.
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

/// A pair that cannot sign is told by `check`; the profile then goes out as it is.
#[test]
fn a_pair_that_cannot_sign_is_never_used() {
    let sandbox = Sandbox::new();
    certificate(&sandbox, "rsa", &["rsa:2048"], "2");
    certificate(&sandbox, "other", &["rsa:2048"], "2");
    certificate(&sandbox, "ed", &["ed25519"], "2");
    certificate(&sandbox, "old", &["rsa:2048"], "-1");
    for (certificate, key, reason) in [
        ("rsa.crt", "other.key", "this key does not belong to"),
        ("ed.crt", "ed.key", "use RSA or ECDSA"),
        ("rsa.key", "rsa.key", "holds no PEM certificate"),
        ("rsa.crt", "rsa.crt", "holds no PEM key"),
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
        assert!(
            stderr.contains("a profile went out unsigned: ") && stderr.contains(reason),
            "{stderr}"
        );
    }
}

/// A root, an intermediate and a leaf; `NAME.pem` holds leaf and intermediate, `NAME.key` the key.
fn chain(sandbox: &Sandbox, name: &str) {
    let path = |part: &str| sandbox.path(&format!("{name}-{part}"));
    sandbox
        .write(&format!("{name}-ca"), "basicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n");
    sandbox.write(
        &format!("{name}-end"),
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n",
    );
    for (part, issuer, kind) in
        [("root", None, "ca"), ("between", Some("root"), "ca"), ("leaf", Some("between"), "end")]
    {
        let mut request = command("openssl");
        request.args(["req", "-new", "-nodes", "-newkey", "rsa:2048", "-subj"]);
        request.arg(format!("/CN={name} {part}")).arg("-keyout").arg(path(&format!("{part}.key")));
        run(request.arg("-out").arg(path(&format!("{part}.csr"))));
        let mut sign = command("openssl");
        sign.args(["x509", "-req", "-days", "2", "-in"]).arg(path(&format!("{part}.csr")));
        sign.arg("-extfile").arg(path(kind)).arg("-out").arg(path(&format!("{part}.crt")));
        match issuer {
            None => sign.arg("-signkey").arg(path("root.key")),
            Some(issuer) => sign
                .arg("-CA")
                .arg(path(&format!("{issuer}.crt")))
                .arg("-CAkey")
                .arg(path(&format!("{issuer}.key")))
                .arg("-CAcreateserial"),
        };
        run(&mut sign);
    }
    let pem = |part: &str| fs::read_to_string(path(part)).expect("PEM");
    sandbox.write(&format!("{name}.pem"), pem("leaf.crt") + &pem("between.crt"));
    sandbox.write(&format!("{name}.key"), pem("leaf.key"));
}

/// Verifies a signed profile with nothing trusted but a root, and returns what is inside.
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

/// A running service signs with what the files hold, and with nothing half written.
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

    // The certificate is there before its key, and then only half of the key.
    put("now.pem", &file("two.pem"));
    assert!(is_signed_by("one") && is_signed_by("one"));
    put("now.key", &file("two.key")[..500]);
    assert!(is_signed_by("one"));
    put("now.key", &file("two.key"));
    assert!(is_signed_by("two") && is_signed_by("two"));

    // A broken one never takes its place, nor one whose time is over.
    put("now.pem", b"");
    assert!(is_signed_by("two"));
    certificate(&sandbox, "old", &["rsa:2048"], "-1");
    put("now.pem", &file("old.crt"));
    put("now.key", &file("old.key"));
    assert!(is_signed_by("two") && is_signed_by("two"));
    // Neither does a new configuration forget the good one.
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
        ("holds no PEM key", 1),
        ("holds no PEM certificate", 1),
        ("the certificate expired on", 1),
        ("went out unsigned", 0),
    ] {
        assert_eq!(log.matches(reason).count(), times, "{reason} in {log}");
    }
}

/// An expired certificate signs nothing, and the log says so once.
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
    assert_eq!(log.matches("a profile went out unsigned").count(), 1, "{log}");
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
    let bare = sandbox.write("bare.toml", "# nothing\n");
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

/// With a certificate and no domain named, a profile for the domain of a stranger was signed with the
/// provider's key; and so was one with a stranger's words in a quoted local part.
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
         [domain.'alias.example']\nalias_of = 'table.example'\n[domain.'table.example']\n"
    );
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
        (&named, "autoconfig.table.example", "", true),
        (&named, "x.example", "?emailaddress=%22You+won.+Call+1%22@table.example", false),
    ] {
        assert_eq!(is_signed(config, host, query), expected, "{} {query}", config.display());
    }
}

/// Where nothing is signed, nothing of OpenSSL runs, in a process that is started for each request
/// least of all: it does not even read its configuration.
#[test]
fn openssl_sleeps_until_a_profile_is_signed() {
    let sandbox = Sandbox::new();
    certificate(&sandbox, "c", &["rsa:2048"], "2");
    let config = format!("[apple]\nsigning_certificate = 'c.crt'\nsigning_key = 'c.key'\n{NAMED}");
    let config = sandbox.write("c.toml", config);
    // Whoever opens it to read waits until somebody writes, which can be seen.
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
    // Opening it to write fails as long as nobody reads.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK;
    let is_read = || rustix::fs::open(&trap, flags, Mode::empty()).is_ok();
    assert!(wait_until(is_read), "the trap catches who signs");
    assert!(wait_until(|| child.try_wait().expect("a child").is_some()));
}
