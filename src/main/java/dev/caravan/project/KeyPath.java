package dev.caravan.project;

import com.fasterxml.jackson.core.JsonStreamContext;
import com.networknt.schema.path.NodePath;
import java.util.regex.Pattern;

/** Where in a project something is, as users write it: {@code tables[0].delimiter}. */
record KeyPath(String text) {

  static final KeyPath ROOT = new KeyPath("");

  private static final Pattern PLAIN_KEY = Pattern.compile("[A-Za-z0-9_-]{1,63}");

  KeyPath key(String key) {
    if (!PLAIN_KEY.matcher(key).matches()) {
      return new KeyPath(text + "[" + Printable.quoted(key) + "]");
    }
    return new KeyPath(text.isEmpty() ? key : text + "." + key);
  }

  KeyPath item(int index) {
    return new KeyPath(text + "[" + index + "]");
  }

  /** The same as a JSON pointer; an odd key is shown as its quoted text. */
  String pointer() {
    String plain = text.replace("~", "~0").replace("/", "~1");
    return plain.isEmpty() ? "" : "/" + plain.replaceAll("\\[|[.]", "/").replaceAll("]", "");
  }

  /** Where a parser stands. */
  static KeyPath of(JsonStreamContext context) {
    if (context.inRoot()) {
      return ROOT;
    }
    KeyPath parent = of(context.getParent());
    if (context.inArray()) {
      return parent.item(context.getCurrentIndex());
    }
    return context.hasCurrentName() ? parent.key(context.getCurrentName()) : parent;
  }

  /** What the schema validator found fault with. */
  static KeyPath of(NodePath location) {
    KeyPath path = ROOT;
    for (int i = 0; i < location.getNameCount(); i++) {
      path =
          location.getElement(i) instanceof Integer index
              ? path.item(index)
              : path.key(location.getName(i));
    }
    return path;
  }
}
