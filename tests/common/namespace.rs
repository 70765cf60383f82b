//! A namespace for one test, with separate mounts and a separate network: web servers use their
//! usual paths and ports (`/etc/nginx`, `/run/mailsetup.sock`, port 80), and nothing collides or
//! remains.

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

use super::{Sandbox, command, program, run, wait_until, write};

/// Directories that are visible with their contents, but whose changes are private to the test; and
/// how deep below them tests write.
const WRITABLE: [(&str, usize); 3] = [("/etc", 3), ("/usr", 2), ("/var", 3)];

/// The path of the program under test in a namespace.
pub const PROGRAM: &str = "/usr/bin/mailsetup";

/// The path for CGI servers: a link.
pub const CGI_PROGRAM: &str = "/usr/lib/cgi-bin/mailsetup.cgi";

/// The root with Debian 11.
pub fn debian_11() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("debian11")
}

/// The namespace of the calling thread and of every process it starts.
pub struct Namespace<'a> {
    pub sandbox: &'a Sandbox,
}

impl<'a> Namespace<'a> {
    /// Runs `test` in a new namespace and ends the processes that it leaves.
    pub fn run(test: impl FnOnce(&Namespace) + Send) {
        Self::run_on(Path::new("/"), test);
    }

    /// The same with the programs of Debian 11, from a root that `tests/install-debian11.sh` creates.
    pub fn run_on_debian_11(test: impl FnOnce(&Namespace) + Send) {
        let root = debian_11();
        assert!(root.join("usr/bin").exists(), "make it first: sh tests/install-debian11.sh");
        Self::run_on(&root, test);
    }

    fn run_on(root: &Path, test: impl FnOnce(&Namespace) + Send) {
        assert!(geteuid().is_root(), "this test needs root, for a network of its own: make test");
        // Created and removed outside; the mounts on it are only visible inside.
        let sandbox = Sandbox::new();
        // A separate thread, since a thread cannot leave a namespace.
        let result =
            thread::scope(|scope| scope.spawn(|| test(&Namespace::enter(&sandbox, root))).join());
        if let Err(reason) = result {
            panic::resume_unwind(reason);
        }
    }

    fn enter(sandbox: &'a Sandbox, root: &Path) -> Self {
        // Two mod_fcgid may compute the same key of shared memory, from the inode of a file.
        let namespaces =
            CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC;
        unshare(namespaces).expect("unshare");
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
            .expect("private mounts");
        run(command("ip").args(["link", "set", "lo", "up"]));

        let layers = sandbox.path("layers");
        fs::create_dir(&layers).expect("mkdir");
        mount(Some("tmpfs"), &layers, Some("tmpfs"), MsFlags::empty(), none).expect("tmpfs");
        // Kept here, since the next mounts may cover the path of the program.
        let held = layers.join("program");
        write(&held, "");
        mount(Some(&program()), &held, none, MsFlags::MS_BIND, none).expect("the program");
        let lower = |directory: &str| root.join(&directory[1..]);
        for (directory, depth) in WRITABLE {
            let upper = layers.join(&directory[1..]);
            let work = layers.join(format!("{}.work", &directory[1..]));
            fs::create_dir(&upper).expect("mkdir");
            fs::create_dir(&work).expect("mkdir");
            let mut closed = Vec::new();
            if in_user_namespace() {
                closed = mirror(Path::new(directory), &upper, depth);
            }
            let options = format!(
                "lowerdir={},upperdir={},workdir={}",
                lower(directory).display(),
                upper.display(),
                work.display()
            );
            mount(Some("overlay"), directory, Some("overlay"), MsFlags::empty(), Some(&*options))
                .unwrap_or_else(|err| panic!("overlay on {directory}: {err}"));
            for directory in closed {
                mount(Some("tmpfs"), &directory, Some("tmpfs"), MsFlags::empty(), none)
                    .unwrap_or_else(|err| panic!("tmpfs on {}: {err}", directory.display()));
            }
        }
        mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), Some("mode=755"))
            .expect("tmpfs on /run");

        write(Path::new(PROGRAM), "");
        mount(Some(&held), PROGRAM, none, MsFlags::MS_BIND, none).expect("the program");
        fs::create_dir_all("/usr/lib/cgi-bin").expect("mkdir");
        let _ = fs::remove_file(CGI_PROGRAM);
        std::os::unix::fs::symlink(PROGRAM, CGI_PROGRAM).expect("link");
        // The machine may have a configuration, which is not for the test.
        let _ = fs::remove_dir_all("/etc/mailsetup");
        Self { sandbox }
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            print_error_logs();
        }
        // Workers that outlived their master, detached helpers: all processes with these mounts.
        wait_until(|| {
            let mut left = false;
            for pid in inhabitants() {
                let _ = kill(pid, Signal::SIGKILL);
                left = true;
            }
            !left
        });
    }
}

/// Whether root is only mapped from another user: `unshare --map-root-user`.
fn in_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().ne(["0", "0", "4294967295"])
}

/// Creates the directories of `lower` in `upper`, so that they belong to this process: those of the
/// machine belong to a root that is not mapped in a user namespace, and cannot be written to.
/// Returns the directories that cannot be read either.
fn mirror(lower: &Path, upper: &Path, depth: usize) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(lower) else {
        return vec![lower.to_owned()];
    };
    let mut closed = Vec::new();
    for entry in entries.flatten() {
        if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let directory = upper.join(entry.file_name());
            fs::create_dir(&directory).expect("mkdir");
            closed.extend(mirror(&entry.path(), &directory, depth - 1));
        }
    }
    closed
}

/// Prints the last lines of the web servers' logs, since their files are removed.
fn print_error_logs() {
    for server in ["nginx", "apache2", "lighttpd"] {
        let path = format!("/var/log/{server}/error.log");
        let log = fs::read(&path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        for line in lines.iter().rev().take(10).rev() {
            println!("{path}: {line}");
        }
    }
}

/// The other processes in the namespace of the calling thread.
fn inhabitants() -> Vec<Pid> {
    let Ok(here) = fs::read_link("/proc/thread-self/ns/mnt") else {
        return Vec::new();
    };
    let own = std::process::id();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != own)
        .filter(|pid| fs::read_link(format!("/proc/{pid}/ns/mnt")).is_ok_and(|link| link == here))
        .filter_map(|pid| i32::try_from(pid).ok().map(Pid::from_raw))
        .collect()
}
