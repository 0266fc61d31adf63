//! The command line.

pub mod admin;
pub mod documents;
pub mod sample_mail;
pub mod sample_shop;
pub mod settings;

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// The workflow and approval server.
#[derive(Debug, Parser)]
#[command(name = "iw-server", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole server.
    Serve {
        /// Load the sample shop.
        #[arg(long)]
        sample_data: bool,
    },
    /// Run a server that answers requests and leaves what follows to workers. All servers on a database have the same
    /// settings.
    Api,
    /// Run a server that performs: calls, timers, schedules, messages. It answers health and metrics only.
    Worker,
    /// Bring the database's schema up to date, and end.
    Migrate,
    /// List all settings, with what they are set to.
    Config,
    /// Workspaces and people.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Check documents: exit 0, 1 where there is an error, 2 where a file can't be read.
    Validate {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// The documents.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Simulate a run, with no server and no network.
    Simulate {
        /// The document.
        file: PathBuf,
        /// The starting event, JSON.
        #[arg(long)]
        event: PathBuf,
        /// What happens then, JSON.
        #[arg(long)]
        script: Option<PathBuf>,
        /// The calendars that it counts in: a list of them, JSON.
        #[arg(long)]
        calendars: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Run the stand-in shop that takes the sample workflows' calls.
    SampleShop {
        /// Where it listens.
        #[arg(long, default_value = crate::sample::SHOP_ADDRESS)]
        listen: std::net::SocketAddr,
    },
    /// Run the stand-in mail server, which shows what mail would arrive.
    SampleMail {
        /// Where it takes mail.
        #[arg(long, default_value = crate::sample::MAIL_ADDRESS)]
        smtp: std::net::SocketAddr,
        /// Where it shows it.
        #[arg(long, default_value = crate::sample::MAIL_PAGE)]
        listen: std::net::SocketAddr,
    },
}
