//! The sample shop: people, one of whom is away, a calendar, a key, a secret, a connector and six workflows, for the first minutes.

mod connector;

use crate::{
    audit::Actor,
    auth::token_hash,
    clock::Clock,
    config::Config,
    publishing::{self, Publishing},
    setup,
    store::{
        self,
        absences::{self, StoredAbsence},
        calendars::{self, StoredCalendar},
        keys, people, secrets,
    },
};
use anyhow::{Context as _, bail};
use chrono::Duration;
use shared_types::{
    api::keys::Key,
    ids::{AbsenceId, KeyId, WorkspaceId},
    workflow::{Format, calendar::Calendar},
};
use sqlx::{PgConnection, PgPool};

/// The sample workspace.
pub const WORKSPACE: &str = "Norrland Trading";
/// Everybody's password in the sample workspace.
pub const PASSWORD: &str = "sample-password";
/// The shop's API key.
pub const SHOP_KEY: &str = "iw_sample_shop_key";
/// Where the stand-in shop listens.
pub const SHOP_ADDRESS: &str = "127.0.0.1:7401";
/// Where the stand-in mail server takes mail.
pub const MAIL_ADDRESS: &str = "127.0.0.1:7403";
/// Where it shows mail.
pub const MAIL_PAGE: &str = "127.0.0.1:7402";
/// The token by which the stand-in shop knows its callers.
pub const SHOP_TOKEN: &str = "sample-shop-token";

/// What the stand-in shop offers to others: its OpenAPI document.
pub const SHOP_DOCUMENT: &str = include_str!("../../docs/examples/shop_openapi.yaml");

/// The people of the sample workspace: name, address, roles.
pub const PEOPLE: [(&str, &str, &[&str]); 8] = [
    ("Ina Berg", "ina.berg@example.com", &["operator", "sales_manager"]),
    ("Bo Ek", "bo.ek@example.com", &["operator", "sales_manager", "finance"]),
    ("Cy Roth", "cy.roth@example.com", &["operator", "finance"]),
    ("Eva Ström", "eva.strom@example.com", &["operator", "finance"]),
    ("Dee Holm", "dee.holm@example.com", &["operator", "legal"]),
    ("Mia Falk", "mia.falk@example.com", &["admin", "support"]),
    ("Ada Lind", "ada.lind@example.com", &["author"]),
    ("Per Dahl", "per.dahl@example.com", &["viewer"]),
];

/// The sample workflows: real ones, with tests of their own.
pub const WORKFLOWS: [(&str, &str); 6] = [
    ("high_value_order", include_str!("../../docs/examples/high_value_order.yaml")),
    ("refund", include_str!("../../docs/examples/refund.yaml")),
    ("quote", include_str!("../../docs/examples/quote.yaml")),
    ("restock", include_str!("../../docs/examples/restock.yaml")),
    ("order_sign_off", include_str!("../../docs/examples/order_sign_off.yaml")),
    ("nightly_close", include_str!("../../docs/examples/nightly.yaml")),
];

/// Loads the sample shop, once.
pub async fn load(
    pool: &PgPool,
    clock: &Clock,
    publishing: &Publishing,
    config: &Config,
) -> anyhow::Result<()> {
    if !config.listen.ip().is_loopback() {
        bail!("the sample shop's passwords are known to all: it is loaded only where IW_LISTEN is loopback");
    }
    let mut transaction = pool.begin().await?;
    store::lock_setup(&mut transaction).await?;
    if people::find_workspace(&mut transaction, WORKSPACE).await?.is_some() {
        return Ok(());
    }
    let workspace = setup::ensure_workspace(&mut transaction, clock, WORKSPACE).await?;
    for (name, email, roles) in PEOPLE {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        setup::add_person(&mut transaction, clock, workspace, email, name, PASSWORD, &roles).await?;
    }
    let office = StoredCalendar {
        calendar: business_hours(),
        etag: clock.new_id(),
        updated_at: clock.now(),
        updated_by: "sample data".to_owned(),
    };
    calendars::put(&mut transaction, workspace, &office).await?;
    let away = away(&mut transaction, clock).await?;
    absences::insert(&mut transaction, workspace, &away).await?;
    let key = Key {
        key_id: KeyId(clock.new_id()),
        name: "Web shop".to_owned(),
        scopes: vec!["events:write".to_owned(), "executions:read".to_owned()],
        workflows: None,
        expires_at: None,
        created_at: clock.now(),
    };
    keys::insert(&mut transaction, workspace, &key, &token_hash(SHOP_KEY), "sample data").await?;
    let sealed = config.key.seal(workspace, "shop_token", SHOP_TOKEN);
    secrets::put(&mut transaction, workspace, "shop_token", &sealed, clock.now()).await?;
    connector::add(&mut transaction, clock, workspace).await?;
    transaction.commit().await?;
    publish(pool, clock, publishing, workspace).await
}

/// Monday to Friday, nine to five with a break, in Stockholm.
fn business_hours() -> Calendar {
    let day = || vec!["09:00-12:00".to_owned(), "13:00-17:00".to_owned()];
    let days = ["mon", "tue", "wed", "thu", "fri"].map(|name| (name.to_owned(), day()));
    Calendar {
        name: "business_hours".to_owned(),
        timezone: "Europe/Stockholm".to_owned(),
        hours: days.into(),
        holidays: Vec::new(),
    }
}

/// Eva is away for some weeks, and Dee decides for her.
async fn away(conn: &mut PgConnection, clock: &Clock) -> anyhow::Result<StoredAbsence> {
    let eva = people::find_account(conn, "eva.strom@example.com").await?.context("Eva is there")?;
    let dee = people::find_account(conn, "dee.holm@example.com").await?.context("Dee is there")?;
    let now = clock.now();
    Ok(StoredAbsence {
        id: AbsenceId(clock.new_id()),
        user: eva.user_id,
        email: eva.email,
        name: eva.name,
        from: now,
        until: now + Duration::weeks(6),
        delegate: Some((dee.user_id, dee.email, dee.name)),
        note: Some("Parental leave".to_owned()),
        created_at: now,
        created_by: "sample data".to_owned(),
    })
}

async fn publish(
    pool: &PgPool,
    clock: &Clock,
    publishing: &Publishing,
    workspace: WorkspaceId,
) -> anyhow::Result<()> {
    let actor = Actor { workspace, name: "sample data".to_owned(), address: None };
    for (name, text) in WORKFLOWS {
        let read = publishing.read(workspace, text.to_owned(), Format::Yaml).await;
        let valid = read.with_context(|| format!("the sample workflow {name}"))?;
        let mut transaction = pool.begin().await?;
        publishing::create(&mut transaction, clock, &actor, &valid).await?;
        transaction.commit().await?;
    }
    Ok(())
}
