"""How schemathesis writes a body that is a view's definition: as the text it is."""
import schemathesis


@schemathesis.serializer("application/sql")
def definition(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()
