"""Stage 4: take everything home. The Souvenir archive, written by a job, downloaded by a link."""
