//! Every chore of the project: `cargo xtask run`, `cargo xtask test`, and what they are made of.

mod bench;
mod clients;
mod database;
mod order;
mod process;
mod run;
mod setup;
mod test;
mod tidy;
mod tools;
mod ui;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The chores of Intelligent Workflows")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Set up, build, start the server with sample data and the stand-in shop, open the desktop app.
    Run {
        /// Without the app: print the address, the accounts and what to try.
        #[arg(long)]
        server: bool,
    },
    /// Place an order as the sample shop does.
    Order {
        /// What it comes to.
        #[arg(long, default_value = "12400")]
        total: String,
    },
    /// Formatting, lints, rules, every test, and the whole in a real window.
    Test {
        /// Leave out the window, for the inner loop.
        #[arg(long)]
        fast: bool,
    },
    /// The whole in a real window alone. `IW_TEST_PICTURES` names a folder for pictures of it.
    Window,
    /// The random tests with many more cases, others each night; minutes.
    Night,
    /// Figures, each beside what the machine allows in the same run; printed as one JSON object.
    Bench {
        /// One time 3 s instead of three times 10 s.
        #[arg(long)]
        quick: bool,
        /// Print JSON; there is no other form.
        #[arg(long)]
        json: bool,
        /// The budgets of the desktop, in the real window of a release build, each with its limit.
        #[arg(long)]
        desktop: bool,
    },
    /// The rules that reading would otherwise repeat.
    Tidy,
    /// Build the desktop's pages into ui/dist.
    Ui,
    /// Write what queries are checked against (backend/.sqlx), from the migrations.
    Prepare,
    /// Write docs/openapi.json.
    Openapi,
    /// Make clients of docs/openapi.json with two generators, and hold a server's answers against it.
    Clients,
    /// Write the tables of docs/language.md.
    Language,
}

fn main() -> ExitCode {
    let chore = Cli::parse().chore;
    let done = process::heed_signals().and_then(|()| do_chore(chore));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn do_chore(chore: Chore) -> anyhow::Result<()> {
    match chore {
        Chore::Run { server } => run::run(server),
        Chore::Order { total } => order::place(&total),
        Chore::Test { fast } => test::test(fast),
        Chore::Window => test::window_alone(),
        Chore::Night => test::night(),
        Chore::Bench { desktop: true, .. } => bench::desktop(),
        Chore::Bench { quick, .. } => bench::bench(quick),
        Chore::Tidy => tidy::tidy(),
        Chore::Ui => setup::ensure(setup::UI).and_then(|()| ui::build()),
        Chore::Prepare => setup::ensure(setup::SERVER).and_then(|()| database::prepare()),
        Chore::Openapi => test::write_openapi(),
        Chore::Clients => clients::generate().and_then(|()| clients::explore()),
        Chore::Language => test::write_language(),
    }
}
