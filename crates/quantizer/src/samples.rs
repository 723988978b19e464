//! Which files to feed to the network.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use ncnn_format::{Error, Result};

/// Extensions that are read as samples, lower case.
const SAMPLE_EXTENSIONS: [&str; 10] = ["jpg", "jpeg", "png", "bmp", "ppm", "pgm", "pnm", "npy", "f32", "raw"];

/// Extensions of files that commonly lie beside samples: labels, sources, licences.
const SIDECAR_EXTENSIONS: [&str; 7] = ["tsv", "txt", "csv", "md", "json", "list", "html"];

/// A list file longer than this is something else.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// The sample files in the order in which they are used.
///
/// The order is part of the answer: the same folder gives the same order on
/// every machine.
///
/// ```
/// use quantizer::Samples;
///
/// let folder = Samples::from_path("../../fixtures/fmnist/calib")?;
/// let glob = Samples::from_path("../../fixtures/fmnist/calib/*.png")?;
/// assert!(!folder.is_empty() && folder == glob);
/// # Ok::<(), quantizer::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples {
    items: Vec<PathBuf>,
    skipped: Vec<PathBuf>,
}

impl Samples {
    /// Samples from `path`, which is one of
    ///
    /// - a folder: every JPEG, PNG, BMP, PNM, `.npy` and raw (`.f32`, `.raw`) file directly in
    ///   it, by extension, sorted by the bytes of its name. Known sidecars (`.tsv`,
    ///   `.txt`, `.csv`, `.md`, `.json`, `.list`, `.html`) are left out; whatever
    ///   else is there is left out too and listed by [`Samples::skipped`];
    /// - a single file with one of these extensions;
    /// - a glob, if there is no file of that name: `photos/*.jpg`, or `photos/**/*.png` for
    ///   all folders below; `?` stands for one character, `[ab]` for one of these. The files
    ///   with one of these extensions that match, sorted;
    /// - any other file: a list, one path per line. The trimmed line up to a tab, if there is
    ///   one, is the path, blanks included; a class may follow the tab. Empty lines and lines that start with `#` are
    ///   passed over. A relative path is looked for in the list's folder first,
    ///   then in the current folder.
    ///
    /// # Errors
    /// `Io` when `path` cannot be read; `Invalid` when nothing is in it or listed files
    /// do not exist (naming all their lines); `Malformed` when a list is not text.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        Self::find(path.as_ref(), false)
    }

    /// As [`Samples::from_path`], but files of a list that do not exist are samples like others,
    /// which cannot be read then.
    ///
    /// # Errors
    /// As [`Samples::from_path`], except for these.
    pub fn from_path_keeping_missing(path: impl AsRef<Path>) -> Result<Self> {
        Self::find(path.as_ref(), true)
    }

    fn find(path: &Path, keep_missing: bool) -> Result<Self> {
        let metadata = match fs::metadata(path) {
            Err(_) if is_glob(path) => return Self::from_glob(path),
            metadata => metadata.map_err(|error| Error::io("cannot read", path, error))?,
        };
        if metadata.is_dir() {
            Self::from_folder(path)
        } else if has_extension(path, &SAMPLE_EXTENSIONS) {
            Ok(Self { items: vec![path.to_owned()], skipped: Vec::new() })
        } else {
            Self::from_list(path, metadata.len(), keep_missing)
        }
    }

    fn from_folder(folder: &Path) -> Result<Self> {
        let cannot_read = |error| Error::io("cannot read the folder", folder, error);
        let mut samples = Self::default();
        for entry in fs::read_dir(folder).map_err(cannot_read)? {
            let path = entry.map_err(cannot_read)?.path();
            if has_extension(&path, &SAMPLE_EXTENSIONS) && path.is_file() {
                samples.items.push(path);
            } else if !has_extension(&path, &SIDECAR_EXTENSIONS) {
                samples.skipped.push(path);
            }
        }
        samples.items.sort();
        samples.skipped.sort();
        samples.or_empty(folder, "no JPEG, PNG, BMP, PNM or .npy file in this folder")
    }

    fn from_glob(pattern: &Path) -> Result<Self> {
        let wrong = |error: glob::PatternError| Error::invalid("not a glob").caused_by(error).in_file(pattern);
        let mut samples = Self::default();
        for path in glob::glob(&pattern.to_string_lossy()).map_err(wrong)? {
            let path = path.map_err(|error| {
                let place = error.path().to_owned();
                Error::io("cannot read", place, error.into())
            })?;
            if has_extension(&path, &SAMPLE_EXTENSIONS) && path.is_file() {
                samples.items.push(path);
            }
        }
        samples.items.sort();
        samples.or_empty(pattern, "no image, .npy or raw file matches this")
    }

    fn from_list(list: &Path, bytes: u64, keep_missing: bool) -> Result<Self> {
        if bytes > MAX_LIST_BYTES {
            let message = format!("a list of samples has at most {MAX_LIST_BYTES} bytes, found {bytes}");
            return Err(Error::too_large(message).in_file(list));
        }
        let bytes = fs::read(list).map_err(|error| Error::io("cannot read", list, error))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::malformed("expected an image, a .npy file, or a list of paths in UTF-8; this is none of them")
                .in_file(list)
        })?;
        let mut samples = Self::default();
        let mut missing = Vec::new();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.split('\t').next().unwrap_or_default().trim();
            if !line.is_empty() && !line.starts_with('#') {
                match resolve(Path::new(line), list) {
                    Ok(path) => samples.items.push(path),
                    Err(_) if keep_missing => samples.items.push(line.into()),
                    Err(error) => missing.push(error.at_line(index + 1).in_file(list)),
                }
            }
        }
        if missing.len() > 1 {
            let lines: String = missing.iter().map(|error| format!("\n  {error}")).collect();
            return Err(Error::invalid(format!("{} files of the list do not exist:{lines}", missing.len())));
        }
        if let Some(error) = missing.pop() {
            return Err(error);
        }
        samples.or_empty(list, "the list names no file")
    }

    fn or_empty(self, path: &Path, message: &str) -> Result<Self> {
        if self.items.is_empty() { Err(Error::invalid(message).in_file(path)) } else { Ok(self) }
    }

    /// The files in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Path> {
        self.items.iter().map(PathBuf::as_path)
    }

    /// The files in order.
    pub fn as_slice(&self) -> &[PathBuf] {
        &self.items
    }

    /// The number of files; at least 1 after [`Samples::from_path`].
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Only the first `count` files.
    #[must_use]
    pub fn truncated(mut self, count: usize) -> Self {
        self.items.truncate(count);
        self
    }

    /// What lies in the folder and is neither a sample nor a known sidecar:
    /// files of other types and subfolders (which are not entered).
    pub fn skipped(&self) -> &[PathBuf] {
        &self.skipped
    }
}

/// Where the listed `path` is.
fn resolve(path: &Path, list: &Path) -> Result<PathBuf> {
    // Joining an absolute path gives that path.
    let beside = list.parent().unwrap_or(Path::new("")).join(path);
    if beside.is_file() {
        Ok(beside)
    } else if path.is_file() {
        Ok(path.to_owned())
    } else if beside.is_dir() || path.is_dir() {
        Err(Error::invalid(format!("expected a file, found the folder {}", path.display())))
    } else {
        Err(Error::invalid(format!("no such file: {}", path.display())))
    }
}

fn is_glob(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    extensions.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), "x").unwrap();
        }
        folder
    }

    fn names(samples: &Samples) -> Vec<&str> {
        samples.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect()
    }

    #[test]
    fn a_folder_gives_its_images_by_name_and_says_what_it_left_out() {
        let folder = folder(&["b.PNG", "a.jpg", "10.npy", "labels.tsv", "notes.doc", "c.jpeg"]);
        fs::create_dir(folder.path().join("more.png")).unwrap();
        let samples = Samples::from_path(folder.path()).unwrap();
        assert_eq!(names(&samples), ["10.npy", "a.jpg", "b.PNG", "c.jpeg"]);
        let skipped: Vec<_> = samples.skipped().iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(skipped, ["more.png", "notes.doc"]);
    }

    #[test]
    fn a_list_keeps_its_order_and_blanks_in_paths() {
        let folder = folder(&["my photo.jpg", "a.png"]);
        let absolute = folder.path().join("a.png");
        let text = format!("\u{feff}# calibration\r\n\r\n  my photo.jpg \r\n{}\n", absolute.display());
        let list = folder.path().join("calib.list");
        fs::write(&list, text).unwrap();
        let samples = Samples::from_path(&list).unwrap();
        assert_eq!(names(&samples), ["my photo.jpg", "a.png"]);
        assert_eq!(samples.truncated(1).len(), 1);
    }

    #[test]
    fn a_list_may_have_classes_behind_tabs() {
        let folder = folder(&["my photo.jpg", "a.png"]);
        let list = folder.path().join("val.tsv");
        fs::write(&list, "#file\tclass\nmy photo.jpg\t7\na.png\t2\t1,3\n").unwrap();
        assert_eq!(names(&Samples::from_path(&list).unwrap()), ["my photo.jpg", "a.png"]);
    }

    #[test]
    fn a_glob_gives_the_samples_that_match_sorted() {
        let folder = folder(&["b2.png", "b1.png", "c.jpg", "b3.txt"]);
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/b0.png"), "x").unwrap();
        let found = |pattern: &str| Samples::from_path(folder.path().join(pattern));
        assert_eq!(names(&found("b*").unwrap()), ["b1.png", "b2.png"]);
        assert_eq!(names(&found("**/b*.png").unwrap()), ["b1.png", "b2.png", "b0.png"]);
        let message = found("z*").unwrap_err().to_string();
        assert!(message.ends_with("z*: no image, .npy or raw file matches this"), "{message}");
        assert!(found("a[").unwrap_err().to_string().contains("not a glob: "));
    }

    #[test]
    fn a_single_image_is_a_sample() {
        let folder = folder(&["a.png"]);
        let samples = Samples::from_path(folder.path().join("a.png")).unwrap();
        assert_eq!(samples.len(), 1);
        assert!(!samples.is_empty());
        assert_eq!(samples.as_slice()[0], folder.path().join("a.png"));
    }

    #[test]
    fn a_missing_file_is_named_with_its_line() {
        let folder = folder(&["a.png"]);
        let list = folder.path().join("calib.txt");
        fs::write(&list, "a.png\n\nb.png\n").unwrap();
        let error = Samples::from_path(&list).unwrap_err();
        assert_eq!(error.to_string(), format!("{}:3: no such file: b.png", list.display()));
        fs::write(&list, "a.png\nb.png\nc.png\n").unwrap();
        let at = list.display();
        assert_eq!(
            Samples::from_path(&list).unwrap_err().to_string(),
            format!("2 files of the list do not exist:\n  {at}:2: no such file: b.png\n  {at}:3: no such file: c.png")
        );
        assert_eq!(Samples::from_path_keeping_missing(&list).unwrap().len(), 3);
        fs::write(&list, "a.png\n\nb.png\n").unwrap();
        fs::create_dir(folder.path().join("b.png")).unwrap();
        assert!(Samples::from_path(&list).unwrap_err().message().contains("found the folder b.png"));
    }

    #[test]
    fn an_empty_list_and_an_empty_folder_say_so() {
        let folder = folder(&[]);
        let error = Samples::from_path(folder.path()).unwrap_err().to_string();
        assert_eq!(error, format!("{}: no JPEG, PNG, BMP, PNM or .npy file in this folder", folder.path().display()));
        let list = folder.path().join("empty.txt");
        fs::write(&list, "# nothing yet\n").unwrap();
        assert_eq!(Samples::from_path(&list).unwrap_err().message(), "the list names no file");
    }

    #[test]
    fn what_does_not_exist_or_is_not_text_is_refused() {
        let folder = folder(&[]);
        let error = Samples::from_path(folder.path().join("nowhere")).unwrap_err().to_string();
        assert!(error.contains("nowhere: cannot read: "), "{error}");
        let list = folder.path().join("photo");
        fs::write(&list, [0xff, 0xd8, 0xff]).unwrap();
        assert!(Samples::from_path(&list).unwrap_err().message().contains("this is none of them"));
    }
}
