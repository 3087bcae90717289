//! The container image: its files, as the Containerfile puts them together, run in a root file system that has nothing else, as an
//! engine runs them. `.ci/static` builds the files and `GAZETTED_IMAGE` names them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, kill_process};

use crate::command_line::gazetted;
use crate::tools::{self, Program};
use crate::waiting::wait_for;

const CONTAINERFILE: &str = include_str!("../../config/container/Containerfile");
/// What engines add to the environment of an image.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Mounts the volumes and `/proc`, makes the root read-only, and starts a program in it without rights. The arguments are the root, the
/// folder of articles, the state directory, the user, and the command.
const ENTER: &str = r#"
mount --bind "$1" "$1"
mount --bind "$2" "$1/articles"
mount -o remount,bind,ro "$1/articles"
mount --bind "$3" "$1/state"
mount -t proc proc "$1/proc"
mount -o remount,bind,ro "$1"
root=$1 user=$4
shift 4
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" "$@"
"#;

/// The files that the image is built from; reports a skipped test if there are none.
fn context() -> Option<PathBuf> {
    let context = std::env::var_os("GAZETTED_IMAGE").map(PathBuf::from).filter(|path| path.exists());
    if context.is_none() {
        tools::skip("GAZETTED_IMAGE, made by .ci/static,");
    }
    context
}

/// What the Containerfile says.
#[derive(Default)]
struct Image {
    variables: Vec<(String, String)>,
    /// `user:group`, in numbers: the image has no list of users.
    user: String,
    port: String,
    volumes: Vec<String>,
    entry: Vec<String>,
    arguments: Vec<String>,
    health: Vec<String>,
    /// Owner, source and target of each file or folder.
    copies: Vec<(Option<String>, String, String)>,
}

impl Image {
    /// Reads the Containerfile. An instruction that is not known here fails the test.
    fn read(processor: &str) -> Self {
        let mut image = Self::default();
        let list =
            |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap_or_else(|_| panic!("{text}: not a list"));
        for line in CONTAINERFILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (instruction, rest) = line.split_once(' ').unwrap();
            match instruction {
                "FROM" => assert_eq!(rest, "scratch"),
                "ARG" => assert_eq!(rest, "TARGETARCH"),
                "STOPSIGNAL" => assert_eq!(rest, "SIGTERM"),
                "COPY" => {
                    let rest = rest.replace("${TARGETARCH}", processor);
                    let mut words: Vec<&str> = rest.split(' ').collect();
                    let owner = words[0].strip_prefix("--chown=").map(str::to_owned);
                    words.drain(..usize::from(owner.is_some()));
                    let [from, to] = words[..] else { panic!("{line}") };
                    image.copies.push((owner, from.to_owned(), to.to_owned()));
                }
                "ENV" => image.variables.extend(rest.split(' ').map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap();
                    (name.to_owned(), value.to_owned())
                })),
                "USER" => rest.clone_into(&mut image.user),
                "EXPOSE" => rest.clone_into(&mut image.port),
                "VOLUME" => image.volumes = list(rest),
                "HEALTHCHECK" => image.health = list(rest.split_once(" CMD ").unwrap().1),
                "ENTRYPOINT" => image.entry = list(rest),
                "CMD" => image.arguments = list(rest),
                _ => panic!("{line}: an instruction that this test does not know"),
            }
        }
        image
    }

    fn variable(&self, name: &str) -> &str {
        &self.variables.iter().find(|(variable, _)| variable == name).unwrap_or_else(|| panic!("{name} is not set")).1
    }

    fn user(&self) -> (u32, u32) {
        let (user, group) = self.user.split_once(':').unwrap();
        (user.parse().unwrap(), group.parse().unwrap())
    }

    /// Puts the files of the image into a folder.
    fn unpack(&self, context: &Path, root: &Path) {
        for (owner, from, to) in &self.copies {
            let (from, to) = (context.join(from), root.join(to.trim_start_matches('/')));
            let folder = if from.is_dir() { &to } else { to.parent().unwrap() };
            fs::create_dir_all(folder).unwrap();
            let from = if from.is_dir() { from.join(".") } else { from };
            tools::run(Command::new("cp").arg("-r").arg("--preserve=mode").args([&from, &to]));
            if let Some(owner) = owner {
                tools::run(Command::new("chown").args(["-R", owner]).arg(&to));
            }
        }
        // Engines mount it there.
        fs::create_dir(root.join("proc")).unwrap();
        fs::set_permissions(root, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

/// A container that runs.
struct Container {
    program: Program,
    /// Process id of its first process, as seen from outside.
    first: i32,
    image: Image,
    variables: Vec<(String, String)>,
}

impl Container {
    fn start(image: Image, root: &Path, articles: &Path, state: &Path) -> Self {
        // The ports of the image may be taken on this machine, whose network the container shares.
        let mut variables = image.variables.clone();
        for (name, value) in &mut variables {
            if name.ends_with("_LISTEN") {
                let (address, _) = value.rsplit_once(':').unwrap();
                *value = format!("{address}:{}", tools::free_port());
            }
        }
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-euc", ENTER, "sh"]);
        command.args([root, articles, state]).arg(&image.user).args(&image.entry).args(&image.arguments);
        command.env_clear().env("PATH", PATH).envs(variables.iter().cloned());
        let program = Program::start(&mut command);
        let id = program.child.id();
        let first = wait_for("the container has its first process", || {
            let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
            children.split_whitespace().next()?.parse().ok()
        });
        Self { program, first, image, variables }
    }

    /// Runs a command as engines do: beside the first process, as the same user.
    fn run(&self, command: &[String]) -> Output {
        let mut enter = Command::new("nsenter");
        let (user, group) = self.image.user();
        enter.args([format!("--target={}", self.first), format!("--setuid={user}"), format!("--setgid={group}")]);
        enter.args(["--mount", "--pid", "--root", "--wd"]).args(command);
        enter.env_clear().env("PATH", PATH).envs(self.variables.iter().cloned()).output().unwrap()
    }

    fn gazetted(&self, arguments: &[&str]) -> Output {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        self.run(&self.image.entry.iter().cloned().chain(arguments).collect::<Vec<_>>())
    }

    /// A line of the status of its first process.
    fn status(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.first)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
        line.unwrap_or_else(|| panic!("{name} in {status}")).to_owned()
    }
}

/// Name of the processor of this machine, as builders of images call it.
fn processor() -> &'static str {
    if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" }
}

#[test]
fn the_image_serves_from_an_empty_root() {
    let Some(context) = context() else { return };
    if !rustix::process::geteuid().is_root() {
        return tools::skip("the rights of root");
    }
    if !["unshare", "setpriv", "nsenter", "chroot"].into_iter().all(tools::has) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let image = Image::read(processor());
    let (root, articles, state) = (path("root"), path("articles"), path("state"));
    image.unpack(&context, &root);
    tools::run(Command::new("cp").arg("-r").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")).arg(&articles));
    tools::run(Command::new("chmod").args(["-R", "a+rX"]).arg(&articles));
    fs::create_dir(&state).unwrap();
    let (user, group) = image.user();
    chown(&state, Some(user), Some(group)).unwrap();
    let files = || tools::run(Command::new("find").arg(&root).args(["-printf", "%p %m %U %s %T@\n"]));
    let before = files();

    let mut container = Container::start(image, &root, &articles, &state);
    assert!(container.program.get("/feed.json").contains("Welcome"), "the samples are served");
    assert_eq!(container.status("Uid"), format!("{user}\t{user}\t{user}\t{user}"));
    assert_eq!(container.status("CapEff").trim_start_matches('0'), "", "it has no rights");
    assert!(container.status("NSpid").ends_with("\t1"), "it is the first process of its container");

    let health = container.image.health.clone();
    let output = container.run(&health);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"ready\n"[..]), "{output:?}");
    let output = container.gazetted(&["health", "--admin-listen", "unix:/state/none.sock"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for command in [&["check"][..], &["reload"], &["explain", "/articles/welcome.md"]] {
        let output = container.gazetted(command);
        assert!(output.status.success(), "{command:?}: {output:?}");
    }

    fs::write(articles.join("new.md"), "# Dropped in\n\nText").unwrap();
    container
        .program
        .wait_until("the new article is served", |program| program.get("/feed.json").contains("Dropped in"));
    // A summer time: the zones are in the program.
    fs::write(articles.join("zone.md"), "---\ndate: 2024-07-01T12:00:00 Europe/Berlin\n---\n\n# In a zone\n\nText")
        .unwrap();
    container.program.wait_until("an article has a zone", |program| program.get("/feed.json").contains("In a zone"));

    kill_process(Pid::from_raw(container.first).unwrap(), Signal::TERM).unwrap();
    let status = container.program.child.wait().unwrap();
    assert_eq!(status.code(), Some(0), "{}", container.program.log.lock().join("\n"));
    assert_eq!(files(), before, "nothing is written outside of the volumes");
    assert!(state.join("catalog.sqlite").exists());
}

#[test]
fn the_program_for_arm_serves_a_feed() {
    let Some(context) = context() else { return };
    let program = context.join("arm64/gazetted");
    if !program.exists() {
        return eprintln!("SKIPPED: .ci/static was told to build the program for this machine alone");
    }
    let mut command = match processor() {
        "arm64" => Command::new(&program),
        _ if tools::has("qemu-aarch64-static") => {
            let mut command = Command::new("qemu-aarch64-static");
            command.arg(&program);
            command
        }
        _ => return,
    };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("articles")).unwrap();
    fs::write(folder.path().join("articles/a.md"), "# On ARM\n\nText").unwrap();
    command.arg("serve").arg(folder.path().join("articles")).arg("--state").arg(folder.path().join("state"));
    let program = Program::start(command.args(["--listen", "127.0.0.1:0"]));
    assert!(program.get("/rss.xml").contains("On ARM"));
}

#[test]
fn the_samples_for_containers_agree() {
    let image = Image::read("amd64");
    let listen = image.variable("GAZETTED_LISTEN");
    assert!(listen.starts_with("0.0.0.0:") && listen.ends_with(&format!(":{}", image.port)), "{listen}");
    assert!(image.user().0 > 0 && image.user().1 > 0, "neither user nor group is root");
    assert!(image.volumes.contains(&image.variable("GAZETTED_STATE").to_owned()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/container");
    let output =
        gazetted().arg("check").arg("--config").arg(folder.join("gazetted.toml")).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");

    let compose = fs::read_to_string(folder.join("compose.yaml")).unwrap();
    let compose: serde_json::Value = serde_saphyr::from_str(&compose).unwrap();
    let service = &compose["services"]["gazetted"];
    assert_eq!((&service["read_only"], service["cap_drop"][0].as_str()), (&true.into(), Some("ALL")));
    assert!(service["ports"][0].as_str().unwrap().ends_with(&format!(":{}", image.port)));
    let targets =
        service["volumes"].as_array().unwrap().iter().map(|volume| volume.as_str().unwrap().split(':').nth(1));
    assert_eq!(targets.map(Option::unwrap).collect::<Vec<_>>(), image.volumes);
    let help = String::from_utf8(gazetted().args(["serve", "--help"]).output().unwrap().stdout).unwrap();
    let set = service["environment"].as_object().unwrap().keys();
    for name in set.chain(image.variables.iter().map(|(name, _)| name)).filter(|name| name.starts_with("GAZETTED_")) {
        assert!(help.contains(&format!("[env: {name}=")), "{name} in {help}");
    }
}
