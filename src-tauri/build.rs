//! Makes the program's resources, and lets the window call the commands that are listed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let commands = tauri_build::AppManifest::new().commands(&[
        "session",
        "sign_in",
        "sign_out",
        "leave",
        "change_password",
        "settings",
        "set_settings",
        "connection",
        "waiting",
        "approval",
        "decide",
        "outbox",
        "outbox_retry",
        "outbox_discard",
        "notices",
        "notice_read",
        "runs",
        "run",
        "cancel_run",
        "workflows",
        "workflow",
        "toggle_workflow",
        "start_workflow",
        "archive_workflow",
        "in_front",
        "review",
        "compare",
        "try_it",
        "draft",
        "keep_draft",
        "drop_draft",
        "save_workflow",
    ]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands))?;
    Ok(())
}
