"""LivePerson's API over HTTP; knows no Airflow."""
