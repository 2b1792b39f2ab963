//! `scripts/setup.sh` on machines made of fake programs and an empty root.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// A file open for writing cannot be run, and a child of another test may inherit it open for a
/// moment: writing programs and starting children take turns.
static TURN: Mutex<()> = Mutex::new(());

const LOADER: &str = "usr/lib/x86_64-linux-gnu/libvulkan.so.1";
const DRIVER: &str = "usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
const DEBIAN: &str = "ID=debian\n";

/// A machine: a folder of programs, which is all of its PATH, and a root for the system's files.
struct Machine {
    folder: tempfile::TempDir,
    bash: PathBuf,
    variables: Vec<(String, PathBuf)>,
}

/// What the script did.
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    /// The command lines of `apt-get` and `sudo`.
    log: String,
}

/// A program of the machine that runs the tests.
fn real(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("PATH");
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(program)).find(|p| p.exists());
    found.unwrap_or_else(|| panic!("{program} is in PATH"))
}

impl Machine {
    /// A machine that lacks nothing, run by root, on the system that `os_release` describes.
    fn complete(os_release: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let machine = Self { folder, bash: real("bash"), variables: Vec::new() };
        machine.program("rustc", &format!("echo rustc {} 0123abc", env!("CARGO_PKG_RUST_VERSION")));
        machine.program("cargo", &format!("echo cargo {}.3", env!("CARGO_PKG_RUST_VERSION")));
        for present in ["cc", "make", "pkg-config"] {
            machine.program(present, "exit 0");
        }
        machine.program("uname", "echo Linux");
        machine.program("id", "echo 0");
        symlink(real("env"), machine.path("bin/env")).expect("a link");
        machine.program("apt-get", "echo \"$DEBIAN_FRONTEND apt-get $*\" >>\"$LOG\"");
        machine.file(LOADER, "");
        machine.file(DRIVER, "{}");
        machine.file("etc/os-release", os_release);
        machine.file("var/lib/apt/lists/debian_Packages", "");
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn program(&self, name: &str, body: &str) {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path("bin").join(name);
        fs::create_dir_all(self.path("bin")).expect("a folder");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.path("root").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn without_program(self, name: &str) -> Self {
        fs::remove_file(self.path("bin").join(name)).expect("a program to remove");
        self
    }

    fn without(self, path: &str) -> Self {
        fs::remove_file(self.path("root").join(path)).expect("a file to remove");
        self
    }

    fn with_program(self, name: &str, body: &str) -> Self {
        self.program(name, body);
        self
    }

    fn with(mut self, variable: &str, value: PathBuf) -> Self {
        self.variables.push((variable.into(), value));
        self
    }

    /// A `pkg-config` that knows no HDF5.
    fn without_hdf5(self) -> Self {
        self.with_program("pkg-config", "exit 1")
    }

    /// An `apt-get` that brings the driver, after its arguments are in the log.
    fn with_apt_that_brings(self, path: &str) -> Self {
        let file = self.path("root").join(path).display().to_string();
        self.with_program(
            "apt-get",
            &format!(
                "echo \"$DEBIAN_FRONTEND apt-get $*\" >>\"$LOG\"\n[ $1 = update ] || : >{file}"
            ),
        )
    }

    fn set_up(&self) -> Outcome {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/setup.sh");
        let output = Command::new(&self.bash)
            .arg(script)
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("LOG", self.path("log"))
            .env("BEAMLINE_SETUP_ROOT", self.path("root"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("bash runs");
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
            log: fs::read_to_string(self.path("log")).unwrap_or_default(),
        }
    }
}

impl Outcome {
    /// Asserts that the script stopped with exit code 3, said each of `words` and installed nothing.
    fn stopped_with(&self, words: &[&str]) {
        assert_eq!(self.code, Some(3), "{}", self.stderr);
        assert_eq!(self.stdout, "", "what is missing goes to stderr");
        assert_eq!(self.log, "");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in {:?}", self.stderr);
        }
    }

    /// Asserts that the script went well, these being its calls of `apt-get` and `sudo`.
    fn installed(&self, log: &str) {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        assert_eq!(self.log, log);
    }
}

#[test]
fn one_line_where_nothing_is_missing() {
    for os_release in [DEBIAN, "ID=fedora\n", "ID=something-else\n"] {
        let done = Machine::complete(os_release).set_up();
        assert_eq!((done.code, done.log.as_str()), (Some(0), ""), "{}", done.stderr);
        assert_eq!(done.stdout, "setup: nothing is missing\n");
        assert_eq!(done.stderr, "");
    }
}

#[test]
fn old_rust_is_refused() {
    let old = "echo 'rustc 1.80.0 (051478957 2024-07-21)'";
    let done = Machine::complete(DEBIAN).with_program("rustc", old).set_up();
    done.stopped_with(&["https://rustup.rs", env!("CARGO_PKG_RUST_VERSION"), "rustc 1.80.0"]);
    let done = Machine::complete(DEBIAN).with_program("cargo", "echo cargo 1.9.0").set_up();
    done.stopped_with(&["https://rustup.rs", "cargo 1.9.0"]);
}

#[test]
fn missing_rust_is_refused() {
    let done = Machine::complete(DEBIAN).without_program("rustc").set_up();
    done.stopped_with(&["https://rustup.rs", "no rustc"]);
    let done = Machine::complete(DEBIAN).without_program("cargo").without(DRIVER).set_up();
    done.stopped_with(&["https://rustup.rs", "no cargo"]);
}

#[test]
fn newer_rust_is_accepted() {
    let done = Machine::complete(DEBIAN).with_program("rustc", "echo rustc 2.0.0-nightly").set_up();
    done.installed("");
}

#[test]
fn debian_installs_only_what_is_missing() {
    let machine = Machine::complete(DEBIAN).without(DRIVER).with_apt_that_brings(DRIVER);
    let done = machine.set_up();
    let call = "apt-get install -y --no-install-recommends mesa-vulkan-drivers\n";
    done.installed(&format!("noninteractive {call}"));
    assert_eq!(done.stdout, "setup: installed mesa-vulkan-drivers\n");

    let again = machine.set_up();
    assert_eq!(again.stdout, "setup: nothing is missing\n");
    assert_eq!(again.log, done.log, "nothing more is installed");
}

#[test]
fn debian_installs_all_that_is_missing_at_once() {
    let machine = Machine::complete("ID=pop\nID_LIKE=\"ubuntu debian\"\n");
    let machine = machine.without(LOADER).without(DRIVER).without_program("pkg-config");
    let bring = "echo $* >>\"$LOG\"; for f in $BRINGS; do : >$f; done; echo exit 0 >$PKG_CONFIG";
    let path = |path: &str| machine.path(path).display().to_string();
    let brings = format!("{} {}", path(&format!("root/{LOADER}")), path(&format!("root/{DRIVER}")));
    let tool = machine.path("bin/pkg-config");
    let chmod = real("chmod").display().to_string();
    let machine = machine
        .with_program("apt-get", &format!("{bring}; {chmod} +x $PKG_CONFIG"))
        .with("BRINGS", brings.into())
        .with("PKG_CONFIG", tool);
    let packages = "pkg-config libhdf5-dev libvulkan1 mesa-vulkan-drivers";
    machine.set_up().installed(&format!("install -y --no-install-recommends {packages}\n"));
}

#[test]
fn a_user_installs_through_sudo() {
    let machine = Machine::complete(DEBIAN).without(LOADER).with_apt_that_brings(LOADER);
    let machine = machine.with_program("id", "echo 1000");
    let asked = machine.set_up();
    asked.stopped_with(&["no sudo", "apt-get install", "libvulkan1"]);

    let machine = machine.with_program("sudo", "echo \"sudo\" >>\"$LOG\"; exec \"$@\"");
    let call = "noninteractive apt-get install -y --no-install-recommends libvulkan1\n";
    machine.set_up().installed(&format!("sudo\n{call}"));
}

#[test]
fn package_lists_are_fetched_where_there_are_none() {
    let machine = Machine::complete(DEBIAN).without(DRIVER).with_apt_that_brings(DRIVER);
    let done = machine.without("var/lib/apt/lists/debian_Packages").set_up();
    let install = "noninteractive apt-get install -y --no-install-recommends mesa-vulkan-drivers";
    done.installed(&format!("noninteractive apt-get update\n{install}\n"));
}

#[test]
fn an_installation_that_fails_is_an_error() {
    let broken = "echo E: no network >&2; exit 100";
    let done = Machine::complete(DEBIAN).without(DRIVER).with_program("apt-get", broken).set_up();
    done.stopped_with(&["E: no network", "could not install mesa-vulkan-drivers"]);

    let useless = "exit 0";
    let done = Machine::complete(DEBIAN).without(DRIVER).with_program("apt-get", useless).set_up();
    done.stopped_with(&["still missing after the installation: driver"]);
}

#[test]
fn other_systems_are_told_their_packages() {
    let cases = [
        (
            "ID=fedora\n",
            "sudo dnf install pkgconf-pkg-config hdf5-devel vulkan-loader mesa-vulkan-drivers\n",
        ),
        (
            "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
            "sudo dnf install pkgconf-pkg-config hdf5-devel vulkan-loader mesa-vulkan-drivers\n",
        ),
        ("ID=arch\n", "sudo pacman -S --needed pkgconf hdf5 vulkan-icd-loader vulkan-swrast\n"),
        ("ID=void\n", "This system is not known here"),
    ];
    for (os_release, words) in cases {
        let machine = Machine::complete(os_release).without(LOADER).without(DRIVER);
        machine.without_program("pkg-config").set_up().stopped_with(&[words]);
    }
    let machine = Machine::complete("ID=fedora\n").without(DRIVER);
    machine.set_up().stopped_with(&["sudo dnf install mesa-vulkan-drivers\n"]);
}

#[test]
fn macos_needs_no_vulkan() {
    let mac = || {
        let machine = Machine::complete("").with_program("uname", "echo Darwin");
        machine.without(LOADER).without(DRIVER).without("etc/os-release")
    };
    mac().set_up().installed("");
    mac().without_program("pkg-config").set_up().stopped_with(&["brew install pkgconf hdf5\n"]);
    let done = mac().without_program("cc").set_up();
    done.stopped_with(&["brew install make\n", "xcode-select --install"]);
}

#[test]
fn hdf5_is_found_by_package_folder_or_header() {
    let missing = || Machine::complete("ID=fedora\n").without_hdf5();
    missing().set_up().stopped_with(&["sudo dnf install hdf5-devel\n"]);

    let machine = missing();
    machine.file("usr/include/hdf5/serial/H5public.h", "");
    machine.set_up().installed("");

    let machine = missing();
    machine.file("opt/hdf5/include/H5public.h", "");
    let folder = machine.path("root/opt/hdf5");
    machine.with("HDF5_DIR", folder).set_up().installed("");
}

#[test]
fn a_driver_may_be_named_by_a_variable() {
    for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        let machine = Machine::complete("ID=fedora\n").without(DRIVER);
        machine.file("opt/driver.json", "{}");
        let driver = machine.path("root/opt/driver.json");
        machine.with(variable, driver).set_up().installed("");
    }
    let machine = Machine::complete(DEBIAN).with("VK_DRIVER_FILES", "/nowhere/driver.json".into());
    machine.set_up().stopped_with(&["VK_DRIVER_FILES", "/nowhere/driver.json"]);
}
