"""The pages: one file a page, run by Streamlit."""
