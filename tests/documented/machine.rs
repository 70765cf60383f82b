//! A machine for the commands of one page: Debian 12 with systemd as its first process, web servers,
//! and this source as a checkout. It has no network but loopback. Nothing that is written in it
//! remains.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

use crate::common::{Sandbox, command, run, source, write};

/// The names of the documentation; all are this machine.
const HOSTS: &str = "127.0.0.1 localhost example.org www.example.org mail.example.org \
                     autoconfig.example.org autodiscover.example.org\n";

/// A running machine.
pub struct Machine {
    nspawn: Child,
    /// Its first process, as seen from outside.
    first: i32,
    console: PathBuf,
}

impl Machine {
    /// Starts a machine for `test`, and ends it.
    pub fn run(test: impl FnOnce(&Machine) + Send) {
        assert!(geteuid().is_root(), "this test needs root, for a machine of its own");
        let sandbox = Sandbox::new();
        // A separate thread, since a thread cannot leave a mount namespace.
        let result =
            std::thread::scope(|scope| scope.spawn(|| test(&Machine::start(&sandbox))).join());
        if let Err(reason) = result {
            std::panic::resume_unwind(reason);
        }
    }

    fn start(sandbox: &Sandbox) -> Self {
        unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
            .expect("private mounts");
        let layers = sandbox.path("layers");
        fs::create_dir(&layers).expect("mkdir");
        mount(Some("tmpfs"), &layers, Some("tmpfs"), MsFlags::empty(), none).expect("tmpfs");

        let image = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("machine");
        assert!(image.join("usr/bin").exists(), "make it first: sh tests/install-machine.sh");
        let root = overlay(&layers, "root", &image);
        let checkout = overlay(&layers, "checkout", &source(""));
        write(&root.join("etc/hosts"), HOSTS);

        let console = sandbox.path("console");
        let log = fs::File::create(&console).expect("a file");
        let mut nspawn = command("systemd-nspawn");
        nspawn.env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1");
        nspawn.args(["--quiet", "--boot", "--register=no", "--keep-unit", "--private-network"]);
        nspawn.args(["--console=pipe", "--resolv-conf=off", "--timezone=off", "--machine"]);
        nspawn.args(["mailsetup", "--hostname", "localhost"]);
        nspawn.arg("--directory").arg(&root);
        let bind = |from: &Path, to: &Path| format!("--bind={}:{}", from.display(), to.display());
        // At the same path, so that cargo sees what it has built outside.
        nspawn.arg(bind(&checkout, &source("")));
        for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let home = std::env::var_os(variable).map_or_else(
                || Path::new(&std::env::var_os("HOME").expect("HOME")).join(folder),
                PathBuf::from,
            );
            let copy = overlay(&layers, folder, &home);
            nspawn.arg(bind(&copy, &Path::new("/root").join(folder)));
        }
        let nspawn = nspawn
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .expect("systemd-nspawn");
        let mut machine = Self { nspawn, first: 0, console };
        machine.wait();
        machine
    }

    /// Waits until systemd has started everything.
    fn wait(&mut self) {
        let mut first = None;
        let has_started = within_a_minute(|| {
            first = child(self.nspawn.id());
            first.is_some()
        });
        let console = || fs::read_to_string(&self.console).unwrap_or_default();
        assert!(has_started, "no machine:\n{}", console());
        self.first = first.expect("a process");
        let is_ready = within_a_minute(|| {
            let state = self.shell("systemctl is-system-running", "/");
            ["running\n", "degraded\n"].contains(&String::from_utf8_lossy(&state.stdout).as_ref())
        });
        assert!(is_ready, "systemd did not start:\n{}", console());
    }

    /// Runs a script of bash as root; it ends at the first command that fails. The output has
    /// standard error in it.
    pub fn shell(&self, script: &str, folder: &str) -> Output {
        let mut inside = Command::new("nsenter");
        inside.args(["-t", &self.first.to_string(), "-m", "-u", "-i", "-n", "-p", "-r"]);
        inside.args(["-w", "--", "/usr/bin/env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb"]);
        inside.arg(
            "PATH=/root/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
        let script = format!("exec 2>&1\ncd '{folder}'\n{script}\n");
        inside.args(["bash", "-e", "-o", "pipefail", "-c", &script]).stdin(Stdio::null());
        inside.output().expect("nsenter")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The machine ends with its first process.
        if self.first != 0 {
            let _ = kill(Pid::from_raw(self.first), Signal::SIGKILL);
        }
        let _ = self.nspawn.kill();
        let _ = self.nspawn.wait();
    }
}

/// A view of `lower` whose changes are kept in `layers`.
fn overlay(layers: &Path, name: &str, lower: &Path) -> PathBuf {
    let part = |part: &str| layers.join(format!("{name}-{part}"));
    let (upper, work, merged) = (part("upper"), part("work"), layers.join(name));
    for folder in [&upper, &work, &merged] {
        fs::create_dir(folder).expect("mkdir");
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.display(),
        upper.display(),
        work.display()
    );
    run(command("mount").args(["-t", "overlay", "overlay", "-o", &options]).arg(&merged));
    merged
}

/// Calls `ready` until it returns true; false if it did not within a minute.
fn within_a_minute(mut ready: impl FnMut() -> bool) -> bool {
    (0..600).any(|_| {
        let is_ready = ready();
        if !is_ready {
            std::thread::sleep(Duration::from_millis(100));
        }
        is_ready
    })
}

/// The child of `parent` that is in another process namespace.
fn child(parent: u32) -> Option<i32> {
    let own = fs::metadata("/proc/self/ns/pid").ok()?.ino();
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    processes.filter_map(|process| process.file_name().to_str()?.parse::<i32>().ok()).find(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let is_child = fields.split(' ').nth(1) == Some(&parent.to_string());
        let space = fs::metadata(format!("/proc/{pid}/ns/pid")).map(|space| space.ino());
        is_child && space.is_ok_and(|space| space != own)
    })
}
