"""Where everything is wired: settings, urls, servers, the embedded profile. Nothing imports it."""
