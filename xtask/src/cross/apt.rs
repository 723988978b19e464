//! Debian packages in a folder of our own: the system's packages are neither used nor touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ncnn_format::{Error, Result};

use super::process::{output, succeeds};

/// The key that Debian signs its releases with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// apt with its own package lists, for one architecture.
///
/// One folder serves one architecture: an index that does not verify makes apt drop the whole release, and
/// with it the packages of every other architecture.
pub(crate) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Whether this is a system with apt and dpkg.
    pub(crate) fn is_present() -> bool {
        ["apt-get", "dpkg"].iter().all(|program| succeeds(Command::new(program).arg("--version")))
    }

    /// Reads the package lists of `sources` (lines `MIRROR SUITE COMPONENT`), or of the system's own sources if
    /// there are none, into `folder`.
    ///
    /// # Errors
    /// `Io` when a list cannot be had or is not signed by Debian.
    pub(crate) fn open(folder: PathBuf, architecture: &str, sources: &[String]) -> Result<Self> {
        for inner in ["lists/partial", "cache/archives/partial", "debs"] {
            let inner = folder.join(inner);
            fs::create_dir_all(&inner).map_err(|error| Error::io("cannot create", &inner, error))?;
        }
        let apt = Self { folder };
        let mut settings = format!(
            "APT::Architecture \"{architecture}\";\nAPT::Architectures {{ \"{architecture}\"; }};\n\
             Dir::State::lists \"{lists}\";\nDir::Cache \"{cache}\";\nAcquire::Languages \"none\";\n\
             Acquire::Retries \"3\";\nAPT::Update::Error-Mode \"any\";\n",
            lists = apt.folder.join("lists").display(),
            cache = apt.folder.join("cache").display(),
        );
        if !sources.is_empty() {
            let list = apt.folder.join("sources.list");
            let lines: String = sources.iter().map(|line| format!("deb [signed-by={KEYRING}] {line}\n")).collect();
            write(&list, &lines)?;
            settings += &format!("Dir::Etc::sourcelist \"{}\";\nDir::Etc::sourceparts \"-\";\n", list.display());
        }
        // Nobody but this user can read a folder in a home; apt would hand the download to `_apt`.
        settings += &format!("APT::Sandbox::User \"{}\";\n", output(Command::new("id").arg("-un"), "who am I")?.trim());
        write(&apt.folder.join("apt.conf"), &settings)?;
        output(apt.command("apt-get").args(["-qq", "update"]), "apt cannot read the package lists")?;
        Ok(apt)
    }

    /// The mirrors that the system is configured with: of Debian, and of its security updates.
    ///
    /// # Errors
    /// `Invalid` when there are none, as on a system that is like Debian and is not Debian.
    pub(crate) fn mirrors(&self) -> Result<[String; 2]> {
        let mut ask = self.command("apt-get");
        ask.args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
        let addresses = output(&mut ask, "apt does not tell its mirrors")?;
        let ending = |name: &str| {
            let found = addresses.lines().find(|line| line.trim_end_matches('/').ends_with(name));
            found.map(str::to_owned).ok_or_else(|| Error::invalid(format!("apt has no mirror of {name}")))
        };
        Ok([ending("/debian")?, ending("debian-security")?])
    }

    /// The first dependency of `package` whose name starts with `prefix`.
    ///
    /// # Errors
    /// `Invalid` when there is none.
    pub(crate) fn dependency(&self, package: &str, prefix: &str) -> Result<String> {
        let mut show = self.command("apt-cache");
        show.args(["show", "--no-all-versions", package]);
        let text = output(&mut show, "apt does not know the package")?;
        let names = text.lines().filter_map(|line| line.strip_prefix("Depends: ")).flat_map(|line| line.split(','));
        let names = names.filter_map(|entry| entry.split_whitespace().next());
        let found = names.into_iter().find(|name| name.starts_with(prefix));
        found.map(str::to_owned).ok_or_else(|| Error::invalid(format!("{package} depends on no {prefix}…")))
    }

    /// `packages` and what they need, without what the system has.
    ///
    /// # Errors
    /// `Io` when apt does not know a package.
    pub(crate) fn missing(&self, packages: &[&str]) -> Result<Vec<String>> {
        let mut simulate = self.command("apt-get");
        simulate.args(["-s", "--no-install-recommends", "install"]).args(packages);
        let plan = output(&mut simulate, "apt has no way to install the packages")?;
        let names = plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split_whitespace().next());
        Ok(names.map(str::to_owned).collect())
    }

    /// Downloads `packages` and unpacks them under `root`.
    ///
    /// # Errors
    /// `Io` when a package cannot be had or unpacked.
    pub(crate) fn unpack(&self, packages: &[String], root: &Path) -> Result<()> {
        let debs = self.folder.join("debs");
        let mut get = self.command("apt-get");
        get.args(["-qq", "download"]).args(packages).current_dir(&debs);
        output(&mut get, "apt cannot download the packages")?;
        let files = fs::read_dir(&debs).map_err(|error| Error::io("cannot read", &debs, error))?;
        for file in files.filter_map(|entry| Some(entry.ok()?.path())) {
            output(Command::new("dpkg").arg("-x").arg(&file).arg(root), "dpkg cannot unpack")?;
            fs::remove_file(&file).map_err(|error| Error::io("cannot remove", &file, error))?;
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", self.folder.join("apt.conf")).env("LC_ALL", "C");
        command
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Error::io("cannot write", path, error))
}
