//! Signed Apple profiles, in a build that can sign: the signature verifies, and a pair of
//! certificate and key that cannot sign is told and never used.

use crate::common::{Sandbox, command, program, run};
use std::fs;
use std::process::Output;

fn run_mailsetup(arguments: &[&str]) -> Output {
    command(program()).args(arguments).output().expect("program")
}

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
        let text =
            format!("[apple]\nsigning_certificate = '{name}.crt'\nsigning_key = '{name}.key'\n");
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
        let text =
            format!("[apple]\nsigning_certificate = '{certificate}'\nsigning_key = '{key}'\n");
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
