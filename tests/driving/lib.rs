//! What the tests of the window and of the web pages share: a server with the sample shop, a page driven over `WebDriver`, and
//! waiting for conditions.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking"
)]

pub mod wait;
pub mod webdriver;
pub mod world;
