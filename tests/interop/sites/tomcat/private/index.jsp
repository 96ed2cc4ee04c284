<%@ page contentType="text/plain;charset=UTF-8" trimDirectiveWhitespaces="true" %>
<% session.setMaxInactiveInterval(1); %>hello <%= request.getRemoteUser() %>
