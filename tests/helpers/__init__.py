"""What tests share: settings, models and jobs that are small enough to run in seconds."""
