import type { Errors, Frame } from './en.ts';

export const frame: Frame = {
  forHelp: 'Si pide ayuda, facilite estos datos:',
  reference: 'Referencia',
  code: 'Código',
  back: 'Volver a {name}',
  reload: 'Abrir la página de nuevo',
};

export const errors: Errors = {
  other: [
    'No ha funcionado',
    'Lo que quería hacer se ha rechazado.',
    'Empiece de nuevo desde su aplicación. Si vuelve a ocurrir, pregunte a su administrador.',
  ],
  internal: [
    'Algo ha fallado',
    'El error es nuestro, no suyo.',
    'Inténtelo de nuevo en un momento. Si vuelve a ocurrir, avise a su administrador.',
  ],
  unreadable: [
    'No se ha podido entender esta solicitud',
    'Su navegador ha enviado algo que esta página no espera, o más de lo que acepta.',
    'Vuelva a su aplicación y empiece de nuevo allí.',
  ],
  not_found: [
    'Aquí no hay nada',
    'La dirección no es correcta, o lo que había aquí ya no existe.',
    'Compruebe la dirección, o empiece de nuevo desde su aplicación.',
  ],
  access_denied: [
    'No puede hacer esto',
    'Su cuenta no tiene el permiso necesario.',
    'Pídaselo a un administrador de su organización.',
  ],
  conflict: [
    'Se ha modificado al mismo tiempo',
    'Otra persona, u otra de sus pestañas, ha sido más rápida.',
    'Abra la página de nuevo y repita su cambio.',
  ],
  rate_limited: [
    'Demasiadas solicitudes',
    'Su red ha enviado más solicitudes de las que se atienden en un minuto.',
    'Espere {seconds, plural, one {# segundo} other {# segundos}} e inténtelo de nuevo.',
  ],
  dependency_unavailable: [
    'Ahora mismo no es posible',
    'Una parte del servicio no responde en este momento. A su cuenta no le pasa nada.',
    'Espere {seconds, plural, one {# segundo} other {# segundos}} y empiece de nuevo desde su aplicación.',
  ],
  tenant_suspended: [
    'El acceso de su organización está suspendido',
    'Nadie de su organización puede iniciar sesión por ahora.',
    'Pregunte a un administrador de su organización.',
  ],
  user_deactivated: [
    'Su cuenta está desactivada',
    'Por ahora no puede usar esta cuenta.',
    'Pida a un administrador de su organización que la reactive.',
  ],
  identity_conflict: [
    'No se ha podido identificar su cuenta',
    'Alguien de su organización ya tiene su dirección de correo o su identificador, y no es seguro que sea usted.',
    'Inicie sesión como antes y vincule allí este inicio, o pida a un administrador que lo haga.',
  ],
  identity_taken: [
    'Este inicio de sesión ya está vinculado',
    'Pertenece a otra cuenta, o su cuenta ya tiene otro de ese tipo.',
    'Pida a un administrador de su organización que desvincule antes aquel.',
  ],
  link_needs_sign_in: [
    'Inicie sesión primero como siempre',
    'Otro inicio de sesión se vincula a su cuenta solo justo después de iniciar sesión.',
    'Inicie sesión como siempre en su aplicación y vincule de nuevo el otro.',
  ],
  link_declined: [
    'No se ha vinculado nada',
    'No ha querido vincular este inicio de sesión.',
    'Puede volver a su aplicación.',
  ],
  identity_unknown: [
    'Aquí no tiene ninguna cuenta',
    'Su organización ha confirmado quién es usted, pero nadie le ha añadido aquí.',
    'Pida a un administrador de su organización que le añada.',
  ],
  connection_not_active: [
    'Esta forma de iniciar sesión está cerrada',
    'Su organización ya no la usa, o todavía no.',
    'Empiece de nuevo desde su aplicación. Si vuelve a ocurrir, pregunte a su administrador.',
  ],
  setup_link_over: [
    'Este enlace ya no es válido',
    'Ha caducado, se ha retirado o no está completo.',
    'Compruebe que tiene la dirección entera, o pida un enlace nuevo a quien se lo envió.',
  ],
  connection_untested: [
    'El inicio de sesión aún no se ha probado',
    'Nadie ha iniciado sesión como prueba con los ajustes actuales.',
    'Abra la página de nuevo y pruebe primero el inicio de sesión.',
  ],
  domain_enforced: [
    'Usted inicia sesión de otra forma',
    'Su organización hace que las personas con su dirección de correo inicien sesión en otro lugar.',
    'Empiece de nuevo desde su aplicación y escriba su dirección de correo: le llevará al lugar correcto.',
  ],
  missing_auth_key: [
    'No se sabe dónde inicia sesión',
    'La página de la que viene no dice a qué inicio de sesión se refiere.',
    'Avise a quien gestiona esa página. Usted no ha hecho nada mal.',
  ],
  unknown_auth_key: [
    'Ese inicio de sesión no existe',
    'La página de la que viene nombra un inicio de sesión que aquí no existe.',
    'Avise a quien gestiona esa página. Usted no ha hecho nada mal.',
  ],
  origin_not_allowed: [
    'Esta página no puede mostrar el asistente',
    'La página de la que viene no está entre las que permite su organización.',
    'Avise a quien gestiona esa página o a su administrador.',
  ],
  redirect_uri_mismatch: [
    'El inicio de sesión no está configurado del todo',
    'Una dirección a la que vuelve no está registrada.',
    'Avise a su administrador. Volver a intentarlo no sirve.',
  ],
  redirect_loop: [
    'Le han enviado en círculos',
    'La página de la que viene le envió una y otra vez a iniciar sesión, así que lo detuvimos.',
    'Espere un minuto y abra la página de nuevo. Si vuelve a ocurrir, avise a quien la gestiona.',
  ],
  cookies_blocked: [
    'Su navegador no guarda cookies',
    'Sin ellas nadie puede iniciar sesión aquí.',
    'Permita las cookies para esta dirección y empiece de nuevo desde la página de la que viene.',
  ],
  sign_in_expired: [
    'Este inicio de sesión ya no es válido',
    'Ha tardado demasiado, ya se ha usado, o empezó en otro navegador.',
    'Empiece de nuevo desde su aplicación.',
  ],
  sign_in_failed: [
    'No se ha podido iniciar la sesión',
    'No ha iniciado sesión.',
    'Empiece de nuevo desde su aplicación. Si vuelve a ocurrir, avise a su administrador.',
  ],
  'sign_in_failed.refused': [
    'Su organización no ha iniciado su sesión',
    'Su página de inicio de sesión la ha rechazado, o usted la ha cancelado allí.',
    'Empiece de nuevo desde su aplicación. Si no la ha cancelado, pregunte a su administrador si puede usarla.',
  ],
  'sign_in_failed.unanswered': [
    'El inicio de sesión de su organización no responde',
    'No hemos podido conectar con él, o ha tardado demasiado en responder.',
    'Inténtelo de nuevo en unos minutos. Si continúa, avise a su administrador.',
  ],
  'sign_in_failed.unacceptable': [
    'No se ha podido aceptar la respuesta de su organización',
    'Su página de inicio de sesión ha respondido, pero algo en la respuesta es incorrecto o falta. Usted no ha ' +
      'hecho nada mal.',
    'Avise a su administrador. Intentarlo de nuevo rara vez ayuda.',
  ],
  'sign_in_failed.outdated': [
    'Inicie sesión una vez más',
    'Lo que ha enviado la página de inicio de sesión de su organización pertenece a un inicio anterior, o a ' +
      'uno que no empezó aquí.',
    'Empiece de nuevo desde su aplicación. Si vuelve a ocurrir, cierre antes la sesión en su organización.',
  ],
  'sign_in_failed.other_organization': [
    'Ha iniciado sesión en otra organización',
    'Esta página pertenece a otra organización que aquella en la que ha iniciado sesión.',
    'Cierre la sesión, abra la página de nuevo e inicie sesión en su organización.',
  ],
  'sign_in_failed.no_access': [
    'El otro servicio no ha dado acceso',
    'Ha respondido, pero algo en su respuesta es incorrecto o falta. No se ha conectado nada.',
    'Abra la página de nuevo. Si vuelve a ocurrir, avise a su administrador.',
  ],
  'sign_in_failed.nothing_granted': [
    'El otro servicio no ha dado acceso a nada',
    'No ha concedido nada de lo que se pedía. No se ha conectado nada.',
    'Abra la página de nuevo y permita allí lo que deba hacerse por usted.',
  ],
  'sign_in_failed.too_much_granted': [
    'El otro servicio ha dado demasiado acceso',
    'Ha dado más de lo que usted ha aceptado. No se ha conectado nada.',
    'Avise a su administrador.',
  ],
  sign_out_refused: [
    'No se ha podido cerrar la sesión',
    'Lo que dice al respecto la página de su organización no se ha podido verificar. Quizá su sesión siga abierta.',
    'Cierre la sesión en su aplicación.',
  ],
  scope_unknown: [
    'Este acceso no existe',
    'El formulario pide un acceso que no se ofrece, o que ya no se ofrece.',
    'Abra la página de nuevo y elija entre lo que muestra.',
  ],
  installation_state: [
    'Esto no se puede conectar ahora',
    'Un administrador ha cambiado algo entretanto.',
    'Pregunte a un administrador de su organización.',
  ],
  consent_expired: [
    'Esta solicitud ya no es válida',
    'Ya se ha respondido, ha tardado demasiado, o se ha retirado.',
    'Abra su página de nuevo. Si tampoco es válida, pida a un administrador que empiece de nuevo.',
  ],
  csrf_mismatch: [
    'El formulario está anticuado',
    'No se abrió en este navegador, o desde entonces ha iniciado o cerrado sesión.',
    'Abra la página de nuevo y repita lo que hizo.',
  ],
};
