//! `iw-server` from its command line to its exit code.
//!
//! It is part of the library, so that the program itself has next to nothing to compile: what a program waits for is
//! compiled where it is waited for.

use crate::{
    commands::{Cli, Command, admin, documents, sample_mail, sample_shop, settings},
    config::{Config, Sources},
    effects::Allowed,
    embedded,
    role::Role,
    sample,
    serve::{self, StartOptions},
    telemetry,
};
use clap::Parser as _;
use std::{io, process::ExitCode};

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    // The provider is chosen once; a second choice would be an error of this program.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("iw-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match command {
        Command::Validate { json, files } => return Ok(documents::validate(&files, json, &mut out)),
        Command::Simulate { file, event, script, calendars, json } => {
            let (script, calendars) = (script.as_deref(), calendars.as_deref());
            return documents::simulate_file(&file, &event, script, calendars, json, &mut out);
        }
        Command::Openapi => {
            let document = serde_json::to_string_pretty(&shared_types::api::openapi::document())?;
            io::Write::write_all(&mut out, format!("{document}\n").as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Config => settings::print(&Sources::read()?, &mut out)?,
        Command::Serve { .. }
        | Command::Api
        | Command::Worker
        | Command::Migrate
        | Command::Admin(_)
        | Command::SampleShop { .. }
        | Command::SampleMail { .. } => {
            drop(out);
            tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run_async(command))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_async(command: Command) -> anyhow::Result<()> {
    let sources = Sources::read()?;
    telemetry::log(&sources);
    match command {
        Command::Serve { sample_data } => {
            let mut config = Config::load(&sources)?;
            if sample_data {
                config.outbound_allow = config.outbound_allow.and(&sample::SHOP_ADDRESS.parse::<Allowed>()?);
                config.smtp_url.get_or_insert_with(|| format!("smtp://{}", sample::MAIL_ADDRESS));
            }
            run_server(&config, StartOptions { sample_data, ..StartOptions::default() }).await?;
        }
        Command::Api => run_server(&Config::load(&sources)?, Role::Api.into()).await?,
        Command::Worker => run_server(&Config::load(&sources)?, Role::Worker.into()).await?,
        Command::Migrate => {
            let database = embedded::open(&Config::load(&sources)?).await?;
            database.pool.close().await;
            if let Some(private) = database.private.filter(embedded_postgres::Postgres::is_ours) {
                tokio::task::spawn_blocking(move || private.stop()).await??;
            }
        }
        Command::Admin(admin) => {
            let said = admin::run(&Config::load(&sources)?, admin).await?;
            io::Write::write_all(&mut io::stdout(), format!("{said}\n").as_bytes())?;
        }
        Command::SampleShop { listen } => tokio::select! {
            served = sample_shop::run(listen) => served?,
            () = asked_to_stop() => {}
        },
        Command::SampleMail { smtp, listen } => tokio::select! {
            served = sample_mail::run(smtp, listen) => served?,
            () = asked_to_stop() => {}
        },
        Command::Validate { .. } | Command::Simulate { .. } | Command::Openapi | Command::Config => {}
    }
    Ok(())
}

async fn run_server(config: &Config, with: StartOptions) -> anyhow::Result<()> {
    serve::start(config, with).await?.until(asked_to_stop()).await
}

/// Waits for Ctrl-C or for the system's wish to stop.
async fn asked_to_stop() {
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
