//! A peer for comparison with mailsetup: a responder on the crate `fastcgi` that answers every
//! request with the same bytes, in one write.
//!
//!     fastcgi-crate SOCKET FILE
//!
//! FILE contains the response in the form of CGI output.

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
            // The web server may have closed the connection; that is ignored here.
            let _ = request.stdout().write_all(&answer);
        },
        listener.as_raw_fd(),
    );
}
