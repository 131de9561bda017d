package dev.caravan.copyupsert;

import java.io.File;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** What this project calls itself. */
record Pom(String groupId, String artifactId, String version, String name, String description) {

  static Pom read() throws Exception {
    Element project =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new File("pom.xml"))
            .getDocumentElement();
    return new Pom(
        text(project, "groupId"),
        text(project, "artifactId"),
        text(project, "version"),
        text(project, "name"),
        text(project, "description"));
  }

  private static String text(Element project, String name) {
    Node child = project.getFirstChild();
    while (!name.equals(child.getNodeName())) {
      child = child.getNextSibling();
    }
    return child.getTextContent();
  }
}
