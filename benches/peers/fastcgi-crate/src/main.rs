//! What mailsetup is compared with: a responder on the crate `fastcgi` that answers every request
//! with the same bytes, in one write.
//!
//!     fastcgi-crate SOCKET FILE
//!
//! FILE holds the answer as a CGI program would print it.

use std::env;
use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;

fn main() {
    let mut arguments = env::args_os().skip(1);
    let (Some(socket), Some(file)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: fastcgi-crate SOCKET FILE");
        std::process::exit(2);
    };
    let answer = fs::read(file).expect("the answer");
    let listener = UnixListener::bind(socket).expect("the socket");
    fastcgi::run_raw(
        move |mut request| {
            // The web server may have gone away; that is no matter here.
            let _ = request.stdout().write_all(&answer);
        },
        listener.as_raw_fd(),
    );
}
