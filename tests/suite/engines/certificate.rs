//! A certificate that no authority has signed.

use std::process::Command;

use crate::tools::run;

/// Makes the files `certificate` and `key`, for the name `localhost`. The command runs `openssl` where they are to be.
pub fn certify(openssl: &mut Command) {
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out certificate -days 30 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
    run(openssl.args(request.split_whitespace()));
}
