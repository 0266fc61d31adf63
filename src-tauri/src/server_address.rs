//! A server's address, as people write it.

use shared_types::desktop::Failure;

/// A server's address as a person writes it. Without a scheme it is taken as `https`, on this machine as `http`.
pub(crate) fn server_address(written: &str) -> Result<String, Failure> {
    let written = written.trim();
    let no_address = || {
        let example = "write it as in the browser, such as https://workflows.example.com";
        Failure::Input(format!("“{written}” is no address of a server; {example}."))
    };
    let whole = match written.split_once("://") {
        Some(("http" | "https", _)) => written.to_owned(),
        Some(_) => return Err(no_address()),
        None if is_here(written) => format!("http://{written}"),
        None => format!("https://{written}"),
    };
    let url: reqwest::Url = whole.parse().map_err(|_| no_address())?;
    // Whoever pastes the address of a page means its server.
    let mut address = url.origin().ascii_serialization();
    address.push_str(url.path().split("/api/v1").next().unwrap_or_default().trim_end_matches('/'));
    Ok(address)
}

/// Whether an address without a scheme is one of this machine.
fn is_here(address: &str) -> bool {
    let host = address.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name == "[::1]" || name.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_people_write_it() {
        for (written, address) in [
            (" workflows.example.com ", "https://workflows.example.com"),
            ("http://workflows.example.com/", "http://workflows.example.com"),
            ("https://example.com/flows/", "https://example.com/flows"),
            ("https://example.com/api/v1/health", "https://example.com"),
            ("localhost:7400", "http://localhost:7400"),
            ("127.0.0.1:7400/", "http://127.0.0.1:7400"),
            ("[::1]:7400", "http://[::1]:7400"),
            ("example.com:8443", "https://example.com:8443"),
        ] {
            assert_eq!(server_address(written), Ok(address.to_owned()), "{written}");
        }
        for bad in ["", "my server", "ftp://example.com", "https://", "http://:80"] {
            let Err(Failure::Input(says)) = server_address(bad) else { panic!("{bad} is no address") };
            assert!(says.contains("such as https://"), "{says}");
        }
    }
}
