"""The catalogue: templates as their customers see them, as one self-contained HTML page; knows no Airflow."""
