"""Ground floor: messages, names and errors on which every part agrees."""
