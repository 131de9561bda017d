package dev.caravan.project;

/**
 * How the marker file is named that says that another file is complete.
 *
 * @param prefix what its name has in front of the name of that file
 * @param suffix what its name has after it
 */
public record DoneMarker(String prefix, String suffix) {

  private static final String NAME = "{name}";

  /** From a template such as <code>{name}.done</code>, which the schema has checked. */
  static DoneMarker of(String template) {
    int at = template.indexOf(NAME);
    return new DoneMarker(template.substring(0, at), template.substring(at + NAME.length()));
  }

  /** The name of the marker for this file, in the same folder. */
  public String markerOf(String fileName) {
    return prefix + fileName + suffix;
  }

  boolean isMarker(String fileName) {
    return fileName.length() > prefix.length() + suffix.length()
        && fileName.startsWith(prefix)
        && fileName.endsWith(suffix);
  }
}
