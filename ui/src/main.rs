//! The desktop app's pages. They know nothing of the network or of files: everything is asked of the shell.

mod app;
mod bridge;
mod clock;
mod components;
mod format;
mod keys;
mod load;
mod pages;
mod route;
mod shell_events;
mod theme;

fn main() {
    yew::Renderer::<app::App>::new().render();
}
