//! Names of files and folders that belong to tools and systems.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use unicode_normalization::UnicodeNormalization;

/// Extensions of articles, the most likely first.
pub const ENDINGS: [&str; 13] =
    ["md", "txt", "html", "markdown", "htm", "xhtml", "text", "mdown", "mkd", "org", "ipynb", "gmi", "gemini"];
/// The file at the top of the watched folder with settings of the site.
pub const SETTINGS_FILE: &str = "_site.toml";
/// The file there that lists the feeds which the author reads.
pub const BLOGROLL_FILE: &str = "blogroll.opml";
/// Extensions of texts and recordings that are not read.
const DOCUMENTS: [&str; 40] = [
    "doc",
    "rtf",
    "pages",
    "rst",
    "adoc",
    "asciidoc",
    "asc",
    "textile",
    "mdx",
    "rmd",
    "qmd",
    "djot",
    "tex",
    "wiki",
    "mediawiki",
    "creole",
    "pod",
    "eml",
    "mht",
    "mhtml",
    "webarchive",
    "epub",
    "markdn",
    "mdwn",
    "mdtxt",
    // Recordings.
    "wma",
    "mka",
    "aiff",
    "aif",
    "aifc",
    "spx",
    "amr",
    "caf",
    "ape",
    "wv",
    "mpc",
    "mpga",
    "mp2",
    "m4r",
    "weba",
];
/// Names of folders of drafts, in any case.
const DRAFT_FOLDERS: [&str; 4] = ["drafts", "draft", "_drafts", "_draft"];
/// Prefixes of names that are never articles. `_includes` and `_index.md` belong to site generators; Jekyll's `_posts` are posts, and
/// its `_drafts` are drafts.
const IGNORED_PREFIXES: [&str; 5] = [".", "~$", "~syncthing~", "#", "_"];
const PUBLISHED_NAMES: [&str; 1] = ["_posts"];
const IGNORED_SUFFIXES: [&str; 25] = [
    "~",
    "#",
    ".swp",
    ".swo",
    ".swx",
    ".swpx",
    ".kate-swp",
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".filepart",
    ".!ut",
    ".aria2",
    ".bak",
    ".bck",
    ".orig",
    ".rej",
    ".old",
    "___jb_tmp___",
    "___jb_old___",
    "___jb_bak___",
    ".lock",
];
/// Other names, in any case.
const IGNORED_NAMES: [&str; 4] = ["4913", "Thumbs.db", "desktop.ini", "node_modules"];
/// Folders of operating systems, network storage and sync programs, in any case: deleted files, snapshots, former versions,
/// thumbnails. A move into one of them deletes a file.
const SYSTEM_FOLDERS: [&str; 58] = [
    // Deleted files: Windows, QNAP, Synology, ReadyNAS, Samba, Unraid, Buffalo, macOS, Obsidian, Nextcloud.
    "$recycle.bin",
    "recycler",
    "recycled",
    "recycle bin",
    "recycle.bin",
    "recycle_bin",
    "@recycle",
    ".@recycle",
    "#recycle",
    ".recycle",
    ".recycle.bin",
    ".recyclebin",
    "trashbox",
    "network trash folder",
    "files_trashbin",
    // Found by a check of the disk.
    "lost+found",
    "lost.dir",
    // Snapshots and former versions.
    "#snapshot",
    "@snapshot",
    "@snapshots",
    "~snapshot",
    ".snapshot",
    ".snapshots",
    "@recently-snapshot",
    "@sharesnap",
    ".zfs",
    ".stversions",
    "files_versions",
    ".documentrevisions-v100",
    ".mobilebackups",
    // State of sync programs.
    ".stfolder",
    ".sync",
    ".dropbox.cache",
    ".tmp.drivedownload",
    ".tmp.driveupload",
    ".seafile-data",
    // Thumbnails, indexes and other metadata.
    "@eadir",
    "@tmp",
    "@sharebin",
    ".@__thumb",
    ".thumbnails",
    ".spotlight-v100",
    ".fseventsd",
    ".temporaryitems",
    "temporary items",
    ".appledouble",
    ".appledb",
    ".appledesktop",
    "thevolumesettingsfolder",
    "__macosx",
    "system volume information",
    "msocache",
    "$extend",
    "$sysreset",
    "$winreagent",
    "$windows.~bt",
    "$windows.~ws",
    "config.msi",
];
/// Beginnings of names of such folders, in any case: `.Trash-1000`, `@GMT-2026.11.01-10.00.00`, `FOUND.000`.
const SYSTEM_PREFIXES: [&str; 3] = [".trash", "@gmt-", "found."];
/// Parts of the names of conflict copies of sync programs, in lower case and in the languages of their users.
const CONFLICT_PARTS: [&str; 41] = [
    // Syncthing, Seafile, ownCloud, Nextcloud, FSNotes, Unison, Joplin, Mega.
    ".sync-conflict-",
    "(sfconflict ",
    "_conflict-20",
    "(conflict 20",
    "(conflict on 20",
    "[conflict]",
    "[conflicted]",
    "(case clash from ",
    // Dropbox, Obsidian Sync, Nextcloud, iCloud.
    "conflicted copy",
    "(case conflict",
    "(unicode encoding conflict",
    "(whitespace conflict",
    "(selective sync conflict",
    "in konflikt stehende kopie",
    "konflikt mit groß- und kleinschreibung",
    "(copie en conflit",
    "(copia en conflicto",
    "(copia in conflitto",
    "(cópia em conflito",
    "(cópia conflitante",
    "(cópia conflituosa",
    "(conflicterende kopie",
    "(kopie met conflict",
    "(skonfliktowana kopia",
    "(kopia powodująca konflikt",
    "(kopia z konfliktem",
    "(konfliktkopi",
    "(kopia med konflikt",
    "(i konflikt med en kopia",
    "(kopi i konflikt",
    "(kopi i strid",
    "(ristiriitainen kopio",
    "(конфликтующая копия",
    "(копия с конфликтом",
    "(конфліктна копія",
    "(konfliktní kopie",
    "(çakışan kopya",
    "競合コピー",
    "冲突副本",
    "衝突複本",
    "충돌된 사본",
];
/// Beginnings of the names that Windows gives to computers. OneDrive puts the computer's name behind that of a conflict copy.
const COMPUTERS: [&str; 5] = ["DESKTOP-", "LAPTOP-", "WIN-", "SURFACE-", "PC-"];
/// Folders for the media of articles whose names begin like those of tools: of Joplin, Obsidian, Notion and site generators.
const MEDIA_FOLDERS: [&str; 16] = [
    "_resources",
    "_attachments",
    "_attachment",
    "_media",
    "_assets",
    "_images",
    "_image",
    "_img",
    "_pictures",
    "_photos",
    "_figures",
    "_files",
    "_uploads",
    "_audio",
    "_video",
    "_videos",
];
/// The versions of a file that git keeps beside it during a merge with a tool.
const MERGE_VERSIONS: [&str; 4] = ["_LOCAL_", "_REMOTE_", "_BASE_", "_BACKUP_"];
/// Names of files about a project or for programs, without their extensions, in any case.
const OTHER_FILES: [&str; 26] = [
    "readme",
    // Of Obsidian's plugin for git.
    "conflict-files-obsidian-git",
    "code_of_conduct",
    "pull_request_template",
    "issue_template",
    // Of a plain text only.
    ".robots",
    ".humans",
    ".ads",
    ".app-ads",
    ".sellers",
    ".security",
    ".llms",
    ".llms-full",
    ".sitemap",
    ".requirements",
    ".constraints",
    ".cmakelists",
    ".license",
    ".licence",
    ".copying",
    ".notice",
    ".notices",
    ".manifest",
    ".version",
    ".keybase",
    ".favicon",
];
/// Names of files about a project that are so only in capitals.
const PROJECT_FILES: [&str; 16] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "NOTICE",
    "CHANGELOG",
    "CONTRIBUTING",
    "CONTRIBUTORS",
    "MAINTAINERS",
    "AUTHORS",
    "SECURITY",
    "SUPPORT",
    "GOVERNANCE",
    "AGENTS",
    "CLAUDE",
    "GEMINI",
    "INSTALL",
];

/// Whether a file of this name describes its folder: `_index.md` and its kind.
pub fn is_section_file(name: &OsStr) -> bool {
    let ending = name.to_str().and_then(|name| name.strip_prefix("_index."));
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Whether a file or folder of this name belongs to a tool or a system: hidden, temporary, deleted, a backup or a conflict copy.
pub fn is_ignored(name: &OsStr) -> bool {
    if is_system_folder(name) {
        return true;
    }
    if is_draft_folder(name) {
        return false;
    }
    let name = name.as_bytes();
    if PUBLISHED_NAMES.iter().any(|published| name == published.as_bytes()) {
        return false;
    }
    IGNORED_NAMES.iter().any(|exact| name.eq_ignore_ascii_case(exact.as_bytes()))
        || IGNORED_PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || IGNORED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix.as_bytes()))
        || is_conflict_name(name)
}

/// Whether a folder of this name holds media of articles, and nothing else that is published.
pub fn is_media_folder(name: &OsStr) -> bool {
    MEDIA_FOLDERS.iter().any(|folder| name.eq_ignore_ascii_case(folder))
}

/// Whether no medium in a folder of this name is served.
pub fn hides_media(name: &OsStr) -> bool {
    is_ignored(name) && !is_media_folder(name)
}

/// Whether a folder of this name holds drafts.
pub fn is_draft_folder(name: &OsStr) -> bool {
    DRAFT_FOLDERS.iter().any(|folder| name.eq_ignore_ascii_case(folder))
}

/// Whether a folder of this name belongs to the operating system, a storage device or a sync program.
pub fn is_system_folder(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let begins = |prefix: &&str| {
        let rest = name.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix.as_bytes()));
        rest.is_some().then(|| &name[prefix.len()..])
    };
    SYSTEM_FOLDERS.iter().any(|folder| name.eq_ignore_ascii_case(folder.as_bytes()))
        || SYSTEM_PREFIXES.iter().filter_map(begins).any(is_rest_of_system_folder)
}

/// Whether a name is that of a system folder if it begins like one: no extension follows, only numbers and words of the system.
fn is_rest_of_system_folder(rest: &[u8]) -> bool {
    rest.iter().all(|byte| byte.is_ascii_digit() || b"-._".contains(byte)) || rest.eq_ignore_ascii_case(b"es")
}

/// The extension of a text or a recording that is not read.
pub fn document_ending(name: &OsStr) -> Option<&'static str> {
    let (_, ending) = name.to_str()?.rsplit_once('.')?;
    DOCUMENTS.into_iter().find(|known| ending.eq_ignore_ascii_case(known))
}

/// Whether a file of this name is a sync program's conflict copy.
pub fn is_conflict(name: &OsStr) -> bool {
    is_conflict_name(name.as_bytes())
}

fn is_conflict_name(name: &[u8]) -> bool {
    // Most names have neither such a sign nor this word.
    let has_sign = name.iter().any(|byte| b"([".contains(byte) || *byte >= 0x80);
    if !has_sign && !name.windows(8).any(|part| part.eq_ignore_ascii_case(b"conflict")) {
        return false;
    }
    let lower: String = String::from_utf8_lossy(name).nfc().flat_map(char::to_lowercase).collect();
    CONFLICT_PARTS.iter().any(|part| lower.contains(part)) || is_of_synology(&lower)
}

/// Whether a name in lower case is one that Synology Drive gives: `a_diskstation_may-15-1404-2024_conflict.md`.
fn is_of_synology(lower: &str) -> bool {
    let stem = lower.rsplit_once('.').map_or(lower, |(stem, _)| stem);
    let mut parts = stem.rsplit('_').skip_while(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let is_marked = parts.next().is_some_and(|part| matches!(part, "conflict" | "caseconflict"));
    let is_date = |part: &str| {
        let fields: Vec<&str> = part.split('-').collect();
        let is_number = |field: &str, length: usize| field.len() == length && field.bytes().all(|b| b.is_ascii_digit());
        matches!(fields.as_slice(), [month, day, time, year]
            if month.len() == 3 && is_number(day, 2) && is_number(time, 4) && is_number(year, 4))
    };
    is_marked && parts.next().is_some_and(is_date)
}

/// The name of the file that OneDrive or git has kept a copy of, if the copy has such a name: `storm-DESKTOP-1A2B3C4.md`, `storm_LOCAL_4711.md`.
pub fn original_of_copy(name: &str) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let of_git = MERGE_VERSIONS.iter().find_map(|version| stem.rsplit_once(*version));
    if let Some((original, _)) = of_git.filter(|(original, process)| !original.is_empty() && is_number(process)) {
        return Some(format!("{original}.{ending}"));
    }
    let (at, computer) =
        COMPUTERS.iter().find_map(|computer| Some((stem.rfind(&format!("-{computer}"))?, computer)))?;
    let rest = &stem[at + 1 + computer.len()..];
    let is_computer =
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    (at > 0 && is_computer).then(|| format!("{}.{ending}", &stem[..at]))
}

/// Whether a file of this name is about a project or for programs, and no article.
pub fn is_other_file(name: &str) -> bool {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let lower = stem.to_lowercase();
    let is_text = ending.eq_ignore_ascii_case("txt");
    let is_listed = OTHER_FILES.iter().any(|other| match other.strip_prefix('.') {
        Some(of_text) => is_text && lower == of_text,
        None => lower == *other,
    });
    // `README.de.md`, `requirements-dev.txt`, `LICENSE-MIT.txt`.
    let first = stem.split(['.', '-', '_']).next().unwrap_or_default();
    let is_readme =
        first.eq_ignore_ascii_case("readme") && stem.len() > first.len() && stem.as_bytes()[first.len()] != b'-';
    let is_list = is_text
        && (lower.starts_with("requirements-")
            || lower.starts_with("requirements_")
            || lower.ends_with("-requirements"));
    let is_project = PROJECT_FILES.iter().any(|project| stem == *project || (is_text && first == *project));
    // The page of an error, and those by which search engines know the owner of a site.
    let is_proof = ending.eq_ignore_ascii_case("html")
        && (lower == "404"
            || lower
                .strip_prefix("google")
                .is_some_and(|rest| rest.len() >= 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
            || lower.starts_with("yandex_")
            || (lower.starts_with("pinterest-") && lower.len() < 20));
    // A drawing of Obsidian's Excalidraw.
    let is_drawing = lower.ends_with(".excalidraw");
    is_drawing || is_listed || is_readme || is_list || is_project || is_proof
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_folders_are_recognised_in_any_case() {
        for name in SYSTEM_FOLDERS {
            assert_eq!(name, name.to_ascii_lowercase(), "the list is in lower case");
            for name in [name.to_owned(), name.to_ascii_uppercase()] {
                assert!(is_system_folder(OsStr::new(&name)) && is_ignored(OsStr::new(&name)), "{name}");
            }
        }
        for name in [".Trash-1000", ".Trashes", ".trash", "@GMT-2026.11.01-10.00.00", "FOUND.000"] {
            assert!(is_system_folder(OsStr::new(name)) && is_ignored(OsStr::new(name)), "{name}");
        }
        for name in ["found.md", "recycling", "recycle", "trash", "snapshots", "@ann", "$100", "system", "tmp"] {
            assert!(!is_system_folder(OsStr::new(name)) && !is_ignored(OsStr::new(name)), "{name}");
        }
    }
    #[test]
    fn conflict_copies_of_sync_programs_are_recognised() {
        for name in [
            "a.sync-conflict-20240101-101010-ABCDEFG.md",
            "a (Ann's conflicted copy 2024-05-01).md",
            "a (Conflicted copy laptop 202405011200).md",
            "a Conflicted copy.md",
            "a (In Konflikt stehende Kopie von Ann 2024-05-01).md",
            "a (Copie en conflit de Ann 2024-05-01).md",
            "a (copia en conflicto de Ann 2024-05-01).md",
            "a (SFConflict ann@x.example 2024-05-01-10-10-10).md",
            "a_conflict-20240501-101010.md",
            "a (CONFLICT 2024-05-01T10:10:10).md",
            "a（Ann 的冲突副本 2024-05-01）.md",
            "a (Case Conflict).md",
            "a_Andy-PC_Jan-03-0901-2013_CaseConflict_1.md",
            "a_DiskStation_May-15-1404-2024_Conflict.md",
        ] {
            assert!(is_conflict(OsStr::new(name)) && is_ignored(OsStr::new(name)), "{name}");
        }
        for name in [
            "A conflict of interest.md",
            "the_old_conflict.md",
            "May-15-2024_Conflict.md",
            "conflict-resolution.md",
            "War (a conflict).md",
            "Copy (of a).md",
            "b (1).md",
        ] {
            assert!(!is_conflict(OsStr::new(name)), "{name}");
        }
        assert_eq!(original_of_copy("storm-DESKTOP-1A2B3C4.md").as_deref(), Some("storm.md"));
        assert_eq!(original_of_copy("storm-LAPTOP-AB12-2.txt").as_deref(), Some("storm.txt"));
        assert_eq!(original_of_copy("storm_LOCAL_4711.md").as_deref(), Some("storm.md"));
        assert_eq!(original_of_copy("the_storm_BACKUP_1.txt").as_deref(), Some("the_storm.txt"));
        for name in [
            "storm_LOCAL_news.md",
            "_BASE_1.md",
            "storm_local_1.md",
            "storm-desktop-use.md",
            "my-DESKTOP-tour.md",
            "DESKTOP-1A.md",
            "storm.md",
        ] {
            assert_eq!(original_of_copy(name), None, "{name}");
        }
    }

    #[test]
    fn files_about_projects_are_no_articles() {
        for name in [
            "README.md",
            "readme.txt",
            "README.de.md",
            "robots.txt",
            "Robots.TXT",
            "requirements.txt",
            "requirements-dev.txt",
            "dev-requirements.txt",
            "CMakeLists.txt",
            "LICENSE.txt",
            "LICENSE-MIT.txt",
            "LICENSE.md",
            "ads.txt",
            "security.txt",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
            "404.html",
            "google1234567890abcdef.html",
            "CODE_OF_CONDUCT.md",
            "conflict-files-obsidian-git.md",
            "x.excalidraw.md",
            "Drawing 2024-05-01.Excalidraw.md",
        ] {
            assert!(is_other_file(name), "{name}");
        }
        for name in [
            "license.md",
            "changelog.md",
            "security.md",
            "robots.md",
            "readme-driven-development.md",
            "requirements.md",
            "ads.html",
            "google.html",
            "Notice.md",
            "authors.md",
            "a.md",
            "404.md",
            "Contributing.md",
            "excalidraw.md",
        ] {
            assert!(!is_other_file(name), "{name}");
        }
    }
}
