"""How others write a request and an answer: bytes to messages and back."""
