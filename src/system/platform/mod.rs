//! What operating systems do in different ways. Linux is supported and tested. For FreeBSD and macOS the program compiles, and the parts
//! that it has no equal for are missing there: [`MISSING`] says which. This is the only file that names an operating system.

mod attributes;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

pub use attributes::RawAttributes;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{
    HAS_FILE_EVENTS, MISSING, PATH_ONLY, attributes_at, device, is_mount_root, limit_unsent, lower_priority,
    move_to_free_place, open_beneath, processor_time_file, short_path, synchronise_all,
};
#[cfg(target_os = "linux")]
pub use linux::{
    HAS_FILE_EVENTS, MISSING, PATH_ONLY, attributes_at, device, is_mount_root, limit_unsent, lower_priority,
    move_to_free_place, open_beneath, processor_time_file, short_path, synchronise_all,
};
