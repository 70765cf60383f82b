//! A throw-away authority, and the certificates that it signs.

use std::path::Path;
use std::process::Command;

use crate::common::{command, run, write};

/// The authority's certificate.
pub const AUTHORITY: &str = "/etc/ssl/certs/authority.pem";

const AUTHORITY_KEY: &str = "/etc/ssl/private/authority.key";

/// Creates the authority.
pub fn authority() {
    let config = config("basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n");
    run(&mut request(&config, "Throw-away authority", AUTHORITY_KEY, AUTHORITY));
}

/// Creates a key and a certificate for these names, signed by the authority.
pub fn certificate(names: &[&str], key: &str, certificate: &str) {
    let all: Vec<_> = names.iter().map(|name| format!("DNS:{name}")).collect();
    let config = config(&format!(
        "basicConstraints = critical, CA:FALSE\nextendedKeyUsage = serverAuth\nsubjectAltName = {}\n",
        all.join(", ")
    ));
    let mut request = request(&config, names[0], key, certificate);
    run(request.args(["-CA", AUTHORITY, "-CAkey", AUTHORITY_KEY]));
}

/// The configuration of one certificate with these extensions.
fn config(extensions: &str) -> String {
    let path = "/etc/ssl/certificate.cnf";
    let config = format!("[req]\ndistinguished_name = name\n[name]\n[extensions]\n{extensions}");
    write(Path::new(path), config);
    path.to_owned()
}

fn request(config: &str, name: &str, key: &str, certificate: &str) -> Command {
    let mut request = command("openssl");
    request.args(["req", "-x509", "-config", config, "-days", "2", "-nodes"]);
    request.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    request.args(["-subj", &format!("/CN={name}"), "-extensions", "extensions"]);
    request.args(["-keyout", key, "-out", certificate]);
    request
}
