//! Files for web servers: the types and header fields of documents, and where the addresses lead that have none.

mod apache;
mod nginx;
mod site;
mod static_hosts;

pub use site::{HeaderSamples, SampleKind, ServedPath, ServerSite};

/// The name of each file and its text.
pub fn all(site: &ServerSite<'_>) -> [(&'static str, String); 5] {
    [
        ("nginx.conf", nginx::server(site)),
        ("nginx-map.conf", nginx::maps(site)),
        ("_headers", static_hosts::headers(site)),
        ("_redirects", static_hosts::redirects(site)),
        (".htaccess", apache::htaccess(site)),
    ]
}
