//! What admins have around our files: rewrites, redirects to https, passwords, paths of their own.
//! Each is tried under the real server.

use std::path::Path;

use super::{HTTP, lighttpd};
use crate::common::http::{self, Request, Response};
use crate::common::namespace::Namespace;
use crate::common::write;

const CONFIG: &str = "[domain.\"example.org\"]\n";

/// Runs `test` in a namespace with a configuration for example.org.
fn world(test: impl FnOnce(&Namespace) + Send) {
    Namespace::run(|world| {
        write(Path::new("/etc/mailsetup/config.toml"), CONFIG);
        test(world);
    });
}

fn get(target: &str) -> Response {
    http::send(HTTP, &Request::get(target)).unwrap_or_else(|err| panic!("{target}: {err}"))
}

//------------ The program as a download --------------------------------------

/// lighttpd 1.4.79 did, and any version does where a condition of the admin's sets `cgi.assign`.
#[test]
fn lighttpd_never_hands_out_the_program() {
    let theirs = "$HTTP[\"host\"] =~ \"\" { cgi.assign = ( \".pl\" => \"/usr/bin/perl\" ) }\n";
    world(|world| {
        let _server = lighttpd::cgi_beside(world, &[("60-theirs.conf", theirs)]);
        for target in ["/mail/config-v1.1.xml", "/Mobileconfig", "/mailsetup.cgi"] {
            let answer = get(target);
            assert!([403, 404].contains(&answer.status), "{target}: {}", answer.status);
            assert!(!answer.body.starts_with(b"\x7fELF"), "{target} is the program");
        }
    });
}
