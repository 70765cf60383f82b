//! The image of `make image`, run by podman as its configuration says: by variables alone, by a file,
//! and beside the web servers of contrib/container. Podman's usual limits need rights that a machine
//! for tests may not have, so that these are set.

use crate::common::namespace::Namespace;
use crate::common::{Sandbox, command, program, run, source, wait_until};
use crate::conformance::{VARIABLES, check_service, check_web_server};
use crate::servers::{caddy, listens, local, nginx};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const HTTP: std::net::SocketAddr = local(8025);
const FASTCGI: std::net::SocketAddr = local(9000);

const COMPOSE: [&str; 2] = ["compose-nginx.yaml", "compose-caddy.yaml"];

/// The archive that `make image` has written.
fn archive() -> PathBuf {
    let folder = fs::read_dir(source("target/dist")).expect("make it first: make image");
    let version = format!("mailsetup-{}-", env!("CARGO_PKG_VERSION"));
    let is_it = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(&version) && name.ends_with(".oci.tar")
    };
    let mut found = folder.map(|entry| entry.expect("an entry").path()).filter(is_it);
    found.next().expect("make it first: make image")
}

/// Podman with a storage of its own, into which the image is loaded.
struct Podman {
    storage: PathBuf,
    image: String,
}

impl Podman {
    fn new(sandbox: &Sandbox) -> Podman {
        let mut podman = Podman { storage: sandbox.path("podman"), image: String::new() };
        let loaded = run(podman.command().args(["load", "--quiet", "--input"]).arg(archive()));
        let (_, image) = loaded.trim().split_once("Loaded image: ").expect("the name of the image");
        podman.image = image.to_owned();
        podman
    }

    fn command(&self) -> Command {
        let mut command = command("podman");
        command.env("HOME", &self.storage).arg("--root").arg(self.storage.join("root"));
        command.arg("--runroot").arg(self.storage.join("run"));
        command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]);
        command.args(["--runtime", "runc", "--events-backend", "file"]);
        command
    }

    /// Starts a container with the restrictions of the compose files, and these options.
    fn start(&self, options: &[String]) -> Container<'_> {
        let mut command = self.command();
        command.args(["run", "--detach", "--read-only", "--network", "host", "--cap-drop", "ALL"]);
        command.args(["--security-opt", "no-new-privileges"]);
        command.args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]);
        let id = run(command.args(options).arg(&self.image));
        let id = id.lines().last().expect("an id").to_owned();
        let container = Container { podman: self, id };
        assert!(wait_until(|| listens(HTTP) && listens(FASTCGI)), "{}", container.log());
        container
    }
}

struct Container<'a> {
    podman: &'a Podman,
    id: String,
}

impl Container<'_> {
    fn log(&self) -> String {
        run(self.podman.command().args(["logs", &self.id]))
    }

    /// A value that podman knows about the container.
    fn inspect(&self, format: &str) -> String {
        let output = run(self.podman.command().args(["inspect", "--format", format, &self.id]));
        output.trim().to_owned()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.podman.command().args(["rm", "--force", "--time", "1", &self.id]).output();
    }
}

/// `--env=NAME=VALUE` for each.
fn options<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    variables.into_iter().map(|(name, value)| format!("--env={name}={value}")).collect()
}

/// A compose file as JSON; docker-compose has checked it.
fn compose(file: &str) -> serde_json::Value {
    let path = source("contrib/container").join(file);
    run(command("docker-compose").arg("-f").arg(&path).args(["config", "--quiet"]));
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let json = run(command("/usr/bin/python3").args(["-c", script]).arg(path));
    serde_json::from_str(&json).expect("JSON")
}

/// The configuration in the image.
fn configuration() -> serde_json::Value {
    let image = format!("oci-archive:{}", archive().display());
    let json = run(command("skopeo").args(["inspect", "--raw", "--config", &image]));
    serde_json::from_str(&json).expect("JSON")
}

#[test]
#[ignore = "needs podman and the image: make test-container"]
fn by_variables_alone_it_conforms() {
    Namespace::run(|world| {
        let podman = Podman::new(world.sandbox);
        let container = podman.start(&options(VARIABLES));
        check_service(HTTP, FASTCGI);

        // Its own user, and no rights.
        let pid = container.inspect("{{.State.Pid}}");
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(field("Uid:"), "65532 65532 65532 65532");
        assert_eq!(field("Gid:"), "65532 65532 65532 65532");
        assert_eq!(field("CapEff:"), "0000000000000000");

        // The health check of the image, and the commands.
        let exec = |arguments: &[&str]| {
            let mut command = podman.command();
            run(command.args(["exec", &container.id, "/usr/bin/mailsetup"]).args(arguments))
        };
        exec(&["health"]);
        let found = exec(&["check"]);
        assert!(found.contains("note: MAILSETUP_DOMAINS: names 2 domains"), "{found}");

        // The log is on standard error, and SIGTERM ends it in order.
        run(podman.command().args(["stop", "--time", "8", &container.id]));
        assert_eq!(container.inspect("{{.State.ExitCode}}"), "0");
        let log = container.log();
        for line in ["listening: http://0.0.0.0:8025", "listening: FastCGI on 0.0.0.0:9000"] {
            assert!(log.contains(line), "{log}");
        }
        assert!(log.contains("stopped by SIGTERM"), "{log}");
        assert!(log.contains("settings from environment variables: MAILSETUP_CALDAV_URL"), "{log}");
    });
}

/// A mistake ends the container with a message, and 1.
#[test]
#[ignore = "needs podman and the image: make test-container"]
fn a_mistake_ends_it() {
    Namespace::run(|world| {
        let podman = Podman::new(world.sandbox);
        let mut command = podman.command();
        command.args(["run", "--rm", "--network", "host", "--ulimit", "nofile=1024:1024"]);
        command.args(["--ulimit", "nproc=1024:1024", "--env=MAILSETUP_IMAP_PORT=abc"]);
        let output = command.arg(&podman.image).output().expect("podman");
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(log.contains("error: MAILSETUP_IMAP_PORT: imap.port: `abc`"), "{log}");
    });
}

/// A mounted folder; an edit is in force without a restart.
#[test]
#[ignore = "needs podman and the image: make test-container"]
fn a_mounted_file_configures_it() {
    use crate::common::http::{Request, send};
    Namespace::run(|world| {
        let podman = Podman::new(world.sandbox);
        let folder = world.sandbox.path("etc");
        fs::create_dir(&folder).expect("mkdir");
        let edit = |host: &str| {
            let text = format!("[domain.'example.org']\nimap.host = '{host}'\n");
            crate::common::write(&folder.join("config.toml"), text);
        };
        edit("one.example.org");
        let mount = format!("--volume={}:/etc/mailsetup:ro", folder.display());
        let container = podman.start(&[mount]);
        let has = |host: &str| {
            let request = Request::get("/mail/config-v1.1.xml?emailaddress=ann@example.org");
            send(HTTP, &request.host("x.invalid")).expect("an answer").text().contains(host)
        };
        assert!(has("one.example.org"), "{}", container.log());
        edit("two.example.org");
        assert!(wait_until(|| has("two.example.org")), "{}", container.log());
    });
}

/// The service of each compose file, with the web server beside it and its file.
#[test]
#[ignore = "needs podman and the image: make test-container"]
fn the_servers_beside_it_conform() {
    for start in [nginx::beside_container, caddy::beside_container] {
        Namespace::run(|world| {
            // The name of the service is that of a host.
            let hosts =
                fs::read_to_string("/etc/hosts").expect("hosts") + "\n127.0.0.1 mailsetup\n";
            fs::write("/etc/hosts", hosts).expect("hosts");
            let podman = Podman::new(world.sandbox);
            let _container = podman.start(&options(VARIABLES));
            let _server = start(world);
            check_web_server();
        });
    }
}

/// They name this version, restrict it as the tests do, and check it as the image says.
#[test]
#[ignore = "needs podman and the image: make test-container"]
fn compose_files_are_those_of_the_image() {
    let config = configuration();
    for file in COMPOSE {
        let compose = compose(file);
        let service = &compose["services"]["mailsetup"];
        let image = format!("localhost/mailsetup:{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(service["image"], image, "{file}");
        assert_eq!(service["read_only"], true);
        assert_eq!(service["healthcheck"]["test"], config["config"]["Healthcheck"]["Test"]);
        // What the file sets is a good configuration.
        let environment = service["environment"].as_object().expect("variables");
        let environment =
            environment.iter().map(|(name, value)| (name, value.as_str().expect("text")));
        let checked = run(command(program()).envs(environment).args(["check", "--strict"]));
        assert!(checked.contains("no errors, no warnings; 2 domains"), "{checked}");
        let text = fs::read_to_string(source("contrib/container").join(file)).expect("a file");
        let name = archive();
        let name = name.file_name().and_then(|name| name.to_str()).expect("a name");
        let (version, _) = name.rsplit_once('-').expect("a platform");
        assert!(text.contains(&format!("docker load -i {version}-amd64.oci.tar")), "{file}");
        for volume in compose["services"].as_object().expect("services").values() {
            for mount in volume["volumes"].as_array().into_iter().flatten() {
                let from = mount.as_str().expect("text").split(':').next().expect("a path");
                let is_file = source("contrib/container").join(from).exists();
                assert!(is_file || from.ends_with("certificates"), "{file}: {from}");
            }
        }
    }
}

/// A static program with its own folder, and nothing else; the same input gives the same bytes.
#[test]
#[ignore = "needs podman and the image: make test-container"]
fn the_image_is_small_and_reproducible() {
    let config = configuration();
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["StopSignal"], "SIGTERM");
    let label = "org.opencontainers.image.version";
    assert_eq!(config["config"]["Labels"][label], env!("CARGO_PKG_VERSION"));
    let sandbox = Sandbox::new();
    let unpacked = sandbox.path("unpacked");
    fs::create_dir(&unpacked).expect("mkdir");
    run(command("tar").arg("-C").arg(&unpacked).arg("-xf").arg(archive()));
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(unpacked.join(name)).expect(name)).expect("JSON")
    };
    // The manifest for older versions of Docker names the same files.
    let docker = read("manifest.json");
    let layer = unpacked.join(docker[0]["Layers"][0].as_str().expect("a path"));
    assert_eq!(read(docker[0]["Config"].as_str().expect("a path")), config);
    let list = run(command("tar").arg("-tf").arg(&layer));
    let files: Vec<_> = list.lines().filter(|name| !name.ends_with('/')).collect();
    let licences = ["LICENSE-APACHE", "LICENSE-MIT"];
    let licences = licences.map(|name| format!("usr/share/doc/mailsetup/{name}"));
    assert_eq!(files, ["usr/bin/mailsetup", &licences[0], &licences[1]]);

    let root = sandbox.path("root");
    fs::create_dir(&root).expect("mkdir");
    run(command("tar").arg("-C").arg(&root).arg("-xf").arg(&layer));
    let created = config["created"].as_str().expect("a time");
    let epoch = run(command("date").args(["-d", created, "+%s"]));
    let again = |folder: &Path| {
        let mut image = command("/usr/bin/python3");
        image.current_dir("/").env("SOURCE_DATE_EPOCH", epoch.trim());
        image.arg(source("packaging/image.py")).arg(root.join("usr/bin/mailsetup")).arg(folder);
        fs::read(run(&mut image).trim()).expect("an archive")
    };
    assert!(again(&sandbox.path("")) == fs::read(archive()).expect("an archive"));
    // A program that needs a loader would not start.
    let mut image = command("/usr/bin/python3");
    image.env("SOURCE_DATE_EPOCH", "0").arg(source("packaging/image.py"));
    let refused = image.arg("/bin/sh").arg(sandbox.path("")).output().expect("python3");
    assert!(!refused.status.success());
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(text.contains("needs a dynamic loader"), "{text}");
}
