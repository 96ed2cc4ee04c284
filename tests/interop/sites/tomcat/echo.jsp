<%@ page contentType="text/plain" session="false" trimDirectiveWhitespaces="true" %><%
    byte[] room = new byte[65536];
    java.io.InputStream in = request.getInputStream();
    java.io.OutputStream to = response.getOutputStream();
    for (int n = in.read(room); n >= 0; n = in.read(room)) {
        to.write(room, 0, n);
    }
    to.close();
%>
