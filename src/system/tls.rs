//! TLS of outgoing connections. The certificate of the other side is always checked.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The settings of a connection that trusts the certificate authorities of a PEM file, or else those of the system (which
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` replace).
///
/// # Errors
/// There is no certificate, for the reason given.
pub fn client_config(authorities: Option<&Path>) -> Result<ClientConfig, String> {
    let place = authorities.map_or("the system".to_owned(), |file| file.display().to_string());
    let found = match authorities {
        Some(file) => rustls_native_certs::load_certs_from_paths(Some(file), None),
        None => rustls_native_certs::load_native_certs(),
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(format!("no certificate authority is known from {place}{why}"));
    }
    with_authorities(roots)
}

/// The settings of a connection that trusts no server, where only unencrypted ones are used.
///
/// # Errors
/// Never, unless the library lacks all versions of TLS.
pub fn trusting_none() -> Result<ClientConfig, String> {
    with_authorities(RootCertStore::empty())
}

fn with_authorities(roots: RootCertStore) -> Result<ClientConfig, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
