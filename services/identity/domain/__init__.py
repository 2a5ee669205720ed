"""Identity's rules, as functions over values: no await, no SQL, no clock."""
