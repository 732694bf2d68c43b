"""What follows from records: titles, figures of sessions, which project. Pure: values in, values out."""
