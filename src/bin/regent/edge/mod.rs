//! The edge of both programs: how they find a workspace, what they answer and how they end; a door.

mod answer;
mod exit;
mod failure;
pub mod files;
mod paint;
mod scene;
mod voice;
pub mod words;
mod workspace;

pub use answer::Answer;
pub use exit::Exit;
pub use failure::Failure;
pub use scene::{Scene, SceneArguments};
pub use workspace::Workspace;
